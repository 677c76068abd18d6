package manifest

const (
	noZoneAware = "shares by zone are not reckoned from the number of endpoints: a localityLbSetting says who prefers which zone"
	noSecret    = "secrets of a cluster are not read: give the files, as clientCertificate, privateKey and caCertificates"
	noTunnel    = "is for bare connections: only HTTP and gRPC are routed"
)

// destinationRuleRules are those for DestinationRule.
var destinationRuleRules = rules{
	"DestinationRule.host":             honoured("looked up as Istio does: in the namespace of the caller, of the service, then in istio-system; the longest wildcard goes first"),
	"DestinationRule.trafficPolicy":    honoured("of several resources for a host the oldest one's counts"),
	"DestinationRule.subsets":          honoured("several resources for a host add up"),
	"DestinationRule.exportTo":         honoured(""),
	"DestinationRule.workloadSelector": refused("selects callers by their labels, which are not known when manifests are read; give such callers a folder of their own"),

	"TrafficPolicy.loadBalancer":      honoured(""),
	"TrafficPolicy.connectionPool":    honoured(""),
	"TrafficPolicy.outlierDetection":  honoured(""),
	"TrafficPolicy.tls":               honoured(""),
	"TrafficPolicy.portLevelSettings": honoured("they inherit nothing but retryBudget"),
	"TrafficPolicy.tunnel":            refused(noTunnel),
	"TrafficPolicy.proxyProtocol":     refused("the PROXY protocol is spoken by proxies, and there is none"),
	"TrafficPolicy.retryBudget":       honoured(""),

	"LoadBalancerSettings.simple":             honoured("none: least request"),
	"LoadBalancerSettings.simple=LEAST_CONN":  honoured("as LEAST_REQUEST"),
	"LoadBalancerSettings.simple=PASSTHROUGH": refused("callers say names and not addresses, so that there is no address to pass on to"),
	"LoadBalancerSettings.consistentHash":     honoured(""),
	"LoadBalancerSettings.localityLbSetting":  honoured("none: with outlierDetection near endpoints come first, as Istio's mesh-wide default has it"),
	"LoadBalancerSettings.zoneAwareLbSetting": refused(noZoneAware),
	"LoadBalancerSettings.warmupDurationSecs": honoured("deprecated, as warmup.duration"),
	"LoadBalancerSettings.warmup":             honoured("with ROUND_ROBIN and LEAST_REQUEST"),

	"LoadBalancerSettings.ConsistentHashLB.httpHeaderName":         honoured(""),
	"LoadBalancerSettings.ConsistentHashLB.httpCookie":             honoured(""),
	"LoadBalancerSettings.ConsistentHashLB.useSourceIp":            honoured("the address that the client is configured with"),
	"LoadBalancerSettings.ConsistentHashLB.httpQueryParameterName": honoured(""),
	"LoadBalancerSettings.ConsistentHashLB.ringHash":               honoured(""),
	"LoadBalancerSettings.ConsistentHashLB.maglev":                 honoured(""),
	"LoadBalancerSettings.ConsistentHashLB.minimumRingSize":        honoured("deprecated: with a warning"),

	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.name":       honoured(""),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.path":       honoured(""),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.ttl":        honoured("none: nobody makes the cookie; 0s: one for the session"),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.attributes": refused("a cookie that is made has a path and a lifetime, and no other attributes"),

	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute.name":  refused(belowNo),
	"LoadBalancerSettings.ConsistentHashLB.HTTPCookie.Attribute.value": refused(belowNo),

	"LoadBalancerSettings.ConsistentHashLB.RingHash.minimumRingSize": honoured("none: 1024"),

	"LoadBalancerSettings.ConsistentHashLB.MagLev.tableSize": honoured("a prime below 5000011"),

	"LocalityLoadBalancerSetting.distribute":       honoured(""),
	"LocalityLoadBalancerSetting.failover":         honoured("with outlierDetection"),
	"LocalityLoadBalancerSetting.failoverPriority": honoured("with outlierDetection"),
	"LocalityLoadBalancerSetting.enabled":          honoured(""),

	"LocalityLoadBalancerSetting.Distribute.from": honoured(""),
	"LocalityLoadBalancerSetting.Distribute.to":   honoured("the shares sum to 100"),

	"LocalityLoadBalancerSetting.Failover.from": honoured(""),
	"LocalityLoadBalancerSetting.Failover.to":   honoured(""),

	"ZoneAwareLoadBalancerSetting.enabled":          refused(belowNo),
	"ZoneAwareLoadBalancerSetting.failover":         refused(belowNo),
	"ZoneAwareLoadBalancerSetting.failoverPriority": refused(belowNo),
	"ZoneAwareLoadBalancerSetting.minClusterSize":   refused(belowNo),

	"ZoneAwareLoadBalancerSetting.Failover.from": refused(belowNo),
	"ZoneAwareLoadBalancerSetting.Failover.to":   refused(belowNo),

	"WarmupConfiguration.duration":       honoured(""),
	"WarmupConfiguration.minimumPercent": honoured("none: 10"),
	"WarmupConfiguration.aggression":     honoured("none: 1"),

	"ConnectionPoolSettings.tcp":  honoured(""),
	"ConnectionPoolSettings.http": honoured(""),

	"ConnectionPoolSettings.TCPSettings.maxConnections":        honoured("of HTTP/1.1, whose connections have one request each at a time"),
	"ConnectionPoolSettings.TCPSettings.connectTimeout":        honoured("none: the client's"),
	"ConnectionPoolSettings.TCPSettings.tcpKeepalive":          honoured(""),
	"ConnectionPoolSettings.TCPSettings.maxConnectionDuration": honoured(""),
	"ConnectionPoolSettings.TCPSettings.idleTimeout":           honoured("where http.idleTimeout is not given; 0s: a year"),

	"ConnectionPoolSettings.TCPSettings.TcpKeepalive.probes":   honoured(""),
	"ConnectionPoolSettings.TCPSettings.TcpKeepalive.time":     honoured(""),
	"ConnectionPoolSettings.TCPSettings.TcpKeepalive.interval": honoured(""),

	"ConnectionPoolSettings.HTTPSettings.http1MaxPendingRequests":        honoured("of calls that wait for one of maxConnections"),
	"ConnectionPoolSettings.HTTPSettings.http2MaxRequests":               honoured("for HTTP/1.1, too, as in Istio"),
	"ConnectionPoolSettings.HTTPSettings.maxRequestsPerConnection":       honoured(""),
	"ConnectionPoolSettings.HTTPSettings.maxRetries":                     honoured("not beside retryBudget, as in Envoy"),
	"ConnectionPoolSettings.HTTPSettings.idleTimeout":                    honoured("none: the client's"),
	"ConnectionPoolSettings.HTTPSettings.h2UpgradePolicy":                honoured(""),
	"ConnectionPoolSettings.HTTPSettings.h2UpgradePolicy=DEFAULT":        honoured("the client's: HTTP/2 where TLS agrees on it, HTTP/1.1 elsewhere"),
	"ConnectionPoolSettings.HTTPSettings.h2UpgradePolicy=DO_NOT_UPGRADE": honoured("HTTP travels over HTTP/1.1; gRPC over HTTP/2, as it always does"),
	"ConnectionPoolSettings.HTTPSettings.useClientProtocol":              honoured("HTTP travels over HTTP/1.1 and gRPC over HTTP/2, which is what callers speak to a sidecar"),
	"ConnectionPoolSettings.HTTPSettings.maxConcurrentStreams":           refused("streams of a connection are bounded by what the server announces; http2MaxRequests bounds requests"),
	"ConnectionPoolSettings.HTTPSettings.http2KeepAlive":                 refused("PING frames are not sent by policy; tcpKeepalive finds dead connections"),

	"ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive.interval": refused(belowNo),
	"ConnectionPoolSettings.HTTPSettings.ConnectionKeepalive.timeout":  refused(belowNo),

	"OutlierDetection.consecutiveErrors":              refused("is no longer heeded by Istio: give consecutive5xxErrors or consecutiveGatewayErrors"),
	"OutlierDetection.splitExternalLocalOriginErrors": honoured(""),
	"OutlierDetection.consecutiveLocalOriginFailures": honoured("none: 5"),
	"OutlierDetection.consecutiveGatewayErrors":       honoured("none or 0: off"),
	"OutlierDetection.consecutive5xxErrors":           honoured("none: 5; 0: off"),
	"OutlierDetection.interval":                       honoured("none: 10s"),
	"OutlierDetection.baseEjectionTime":               honoured("none: 30s"),
	"OutlierDetection.maxEjectionPercent":             honoured("none: 10; a share of less than one endpoint ejects none, and gets a warning"),
	"OutlierDetection.minHealthPercent":               honoured("none or 0: ejections always count"),
	"OutlierDetection.outlierDetectionHttpErrorCodes": refused("which statuses are failures is the same for all destinations: 5xx but 501"),

	"ClientTLSSettings.mode":               honoured("ISTIO_MUTUAL is the mesh's own identity, which the client needs"),
	"ClientTLSSettings.clientCertificate":  honoured("a file"),
	"ClientTLSSettings.privateKey":         honoured("a file"),
	"ClientTLSSettings.caCertificates":     honoured("a file; none, or \"system\": the system's"),
	"ClientTLSSettings.credentialName":     refused(noSecret),
	"ClientTLSSettings.subjectAltNames":    honoured("in the place of the server's name"),
	"ClientTLSSettings.sni":                honoured(""),
	"ClientTLSSettings.insecureSkipVerify": honoured("false; true is refused: servers are always verified"),
	"ClientTLSSettings.caCrl":              refused("lists of revoked certificates are not read"),

	"TrafficPolicy.PortTrafficPolicy.port":             honoured(""),
	"TrafficPolicy.PortTrafficPolicy.loadBalancer":     honoured(""),
	"TrafficPolicy.PortTrafficPolicy.connectionPool":   honoured(""),
	"TrafficPolicy.PortTrafficPolicy.outlierDetection": honoured(""),
	"TrafficPolicy.PortTrafficPolicy.tls":              honoured(""),

	"TrafficPolicy.TunnelSettings.protocol":   refused(belowNo),
	"TrafficPolicy.TunnelSettings.targetHost": refused(belowNo),
	"TrafficPolicy.TunnelSettings.targetPort": refused(belowNo),

	"TrafficPolicy.ProxyProtocol.version": refused(belowNo),

	"TrafficPolicy.RetryBudget.percent":             honoured("none: 20"),
	"TrafficPolicy.RetryBudget.minRetryConcurrency": honoured("none: 3"),
	"TrafficPolicy.RetryBudget.budgetInterval":      honoured("0s; more is refused: retries are compared with the calls under way"),

	"Subset.name":          honoured(""),
	"Subset.labels":        honoured("none: every endpoint"),
	"Subset.trafficPolicy": honoured("what it gives replaces that of the host, each part whole"),

	"istio.type.v1beta1.WorkloadSelector.matchLabels": refused(belowNo),
}
