package manifest

// destinationRuleRules are those for DestinationRule.
var destinationRuleRules = rules{
	"DestinationRule.host":             refused(later),
	"DestinationRule.trafficPolicy":    refused(later),
	"DestinationRule.subsets":          refused(later),
	"DestinationRule.exportTo":         refused(later),
	"DestinationRule.workloadSelector": refused(later),

	"TrafficPolicy.loadBalancer":      refused(later),
	"TrafficPolicy.connectionPool":    refused(later),
	"TrafficPolicy.outlierDetection":  refused(later),
	"TrafficPolicy.tls":               refused(later),
	"TrafficPolicy.portLevelSettings": refused(later),
	"TrafficPolicy.tunnel":            refused(later),
	"TrafficPolicy.proxyProtocol":     refused(later),
	"TrafficPolicy.retryBudget":       refused(later),

	"LoadBalancerSettings.simple":             refused(later),
	"LoadBalancerSettings.consistentHash":     refused(later),
	"LoadBalancerSettings.localityLbSetting":  refused(later),
	"LoadBalancerSettings.zoneAwareLbSetting": refused(later),
	"LoadBalancerSettings.warmupDurationSecs": refused(later),
	"LoadBalancerSettings.warmup":             refused(later),

	"LoadBalancerSettings.ConsistentHashLB.httpHeaderName":         refused(later),
	"LoadBalancerSettings.ConsistentHashLB.httpCookie":             refused(later),
	"LoadBalancerSettings.ConsistentHashLB.useSourceIp":            refused(later),
	"LoadBalancerSettings.ConsistentHashLB.httpQueryParameterName": refused(later),
	"LoadBalancerSettings.ConsistentHashLB.ringHash":               refused(later),
	"LoadBalancerSettings.ConsistentHashLB.maglev":                 refused(later),
	"LoadBalancerSettings.ConsistentHashLB.minimumRingSize":        refused(later),

	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.name":       refused(later),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.path":       refused(later),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.ttl":        refused(later),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.attributes": refused(later),

	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute.name":  refused(later),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute.value": refused(later),

	"LoadBalancerSettings.ConsistentHashLB.RingHash.minimumRingSize": refused(later),

	"LoadBalancerSettings.ConsistentHashLB.MagLev.tableSize": refused(later),

	"LocalityLoadBalancerSetting.distribute":       refused(later),
	"LocalityLoadBalancerSetting.failover":         refused(later),
	"LocalityLoadBalancerSetting.failoverPriority": refused(later),
	"LocalityLoadBalancerSetting.enabled":          refused(later),

	"LocalityLoadBalancerSetting.Distribute.from": refused(later),
	"LocalityLoadBalancerSetting.Distribute.to":   refused(later),

	"LocalityLoadBalancerSetting.Failover.from": refused(later),
	"LocalityLoadBalancerSetting.Failover.to":   refused(later),

	"ZoneAwareLoadBalancerSetting.enabled":          refused(later),
	"ZoneAwareLoadBalancerSetting.failover":         refused(later),
	"ZoneAwareLoadBalancerSetting.failoverPriority": refused(later),
	"ZoneAwareLoadBalancerSetting.minClusterSize":   refused(later),

	"ZoneAwareLoadBalancerSetting.Failover.from": refused(later),
	"ZoneAwareLoadBalancerSetting.Failover.to":   refused(later),

	"WarmupConfiguration.duration":       refused(later),
	"WarmupConfiguration.minimumPercent": refused(later),
	"WarmupConfiguration.aggression":     refused(later),

	"ConnectionPoolSettings.tcp":  refused(later),
	"ConnectionPoolSettings.http": refused(later),

	"ConnectionPoolSettings.TCPSettings.maxConnections":        refused(later),
	"ConnectionPoolSettings.TCPSettings.connectTimeout":        refused(later),
	"ConnectionPoolSettings.TCPSettings.tcpKeepalive":          refused(later),
	"ConnectionPoolSettings.TCPSettings.maxConnectionDuration": refused(later),
	"ConnectionPoolSettings.TCPSettings.idleTimeout":           refused(later),

	"ConnectionPoolSettings.TCPSettings.TcpKeepalive.probes":   refused(later),
	"ConnectionPoolSettings.TCPSettings.TcpKeepalive.time":     refused(later),
	"ConnectionPoolSettings.TCPSettings.TcpKeepalive.interval": refused(later),

	"ConnectionPoolSettings.HTTPSettings.http1MaxPendingRequests":  refused(later),
	"ConnectionPoolSettings.HTTPSettings.http2MaxRequests":         refused(later),
	"ConnectionPoolSettings.HTTPSettings.maxRequestsPerConnection": refused(later),
	"ConnectionPoolSettings.HTTPSettings.maxRetries":               refused(later),
	"ConnectionPoolSettings.HTTPSettings.idleTimeout":              refused(later),
	"ConnectionPoolSettings.HTTPSettings.h2UpgradePolicy":          refused(later),
	"ConnectionPoolSettings.HTTPSettings.useClientProtocol":        refused(later),
	"ConnectionPoolSettings.HTTPSettings.maxConcurrentStreams":     refused(later),
	"ConnectionPoolSettings.HTTPSettings.http2KeepAlive":           refused(later),

	"ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive.interval": refused(later),
	"ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive.timeout":  refused(later),

	"OutlierDetection.consecutiveErrors":              refused(later),
	"OutlierDetection.splitExternalLocalOriginErrors": refused(later),
	"OutlierDetection.consecutiveLocalOriginFailures": refused(later),
	"OutlierDetection.consecutiveGatewayErrors":       refused(later),
	"OutlierDetection.consecutive5xxErrors":           refused(later),
	"OutlierDetection.interval":                       refused(later),
	"OutlierDetection.baseEjectionTime":               refused(later),
	"OutlierDetection.maxEjectionPercent":             refused(later),
	"OutlierDetection.minHealthPercent":               refused(later),
	"OutlierDetection.outlierDetectionHttpErrorCodes": refused(later),

	"ClientTLSSettings.mode":               refused(later),
	"ClientTLSSettings.clientCertificate":  refused(later),
	"ClientTLSSettings.privateKey":         refused(later),
	"ClientTLSSettings.caCertificates":     refused(later),
	"ClientTLSSettings.credentialName":     refused(later),
	"ClientTLSSettings.subjectAltNames":    refused(later),
	"ClientTLSSettings.sni":                refused(later),
	"ClientTLSSettings.insecureSkipVerify": refused(later),
	"ClientTLSSettings.caCrl":              refused(later),

	"TrafficPolicy.PortTrafficPolicy.port":             refused(later),
	"TrafficPolicy.PortTrafficPolicy.loadBalancer":     refused(later),
	"TrafficPolicy.PortTrafficPolicy.connectionPool":   refused(later),
	"TrafficPolicy.PortTrafficPolicy.outlierDetection": refused(later),
	"TrafficPolicy.PortTrafficPolicy.tls":              refused(later),

	"TrafficPolicy.TunnelSettings.protocol":   refused(later),
	"TrafficPolicy.TunnelSettings.targetHost": refused(later),
	"TrafficPolicy.TunnelSettings.targetPort": refused(later),

	"TrafficPolicy.ProxyProtocol.version": refused(later),

	"TrafficPolicy.RetryBudget.percent":             refused(later),
	"TrafficPolicy.RetryBudget.minRetryConcurrency": refused(later),
	"TrafficPolicy.RetryBudget.budgetInterval":      refused(later),

	"Subset.name":          refused(later),
	"Subset.labels":        refused(later),
	"Subset.trafficPolicy": refused(later),

	"istio.type.v1beta1.WorkloadSelector.matchLabels": refused(later),
}
