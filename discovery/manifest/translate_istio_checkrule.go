package manifest

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// checkRule holds the rules of Istio's validation for a DestinationRule.
func (x *istio) checkRule(o *Object, spec *networking.DestinationRule) {
	if spec.GetHost() == "" {
		x.wrong(o, "spec", "a host is needed")
	} else {
		x.checkHostName(o, "spec.host", spec.GetHost())
	}
	x.checkPolicy(o, "spec.trafficPolicy", spec.GetTrafficPolicy())
	seen := map[string]bool{}
	for i, s := range spec.GetSubsets() {
		at := index("spec.subsets", i)
		switch name := s.GetName(); {
		case name == "":
			x.wrong(o, at, "a name is needed")
		case !isLabel(name, 63):
			x.wrong(o, at+".name", "%q is not the name of a subset", name)
		case seen[name]:
			x.wrong(o, at+".name", "%q is there twice", name)
		}
		seen[s.GetName()] = true
		if _, is := s.GetLabels()[""]; is {
			x.wrong(o, at+".labels", "the name of a label must not be empty")
		}
		x.checkPolicy(o, at+".trafficPolicy", s.GetTrafficPolicy())
	}
	x.checkExported(o, spec.GetExportTo())
}

func (x *istio) checkPolicy(o *Object, at string, t *networking.TrafficPolicy) {
	if t == nil {
		return
	}
	if t.GetLoadBalancer() == nil && t.GetConnectionPool() == nil && t.GetOutlierDetection() == nil && t.GetTls() == nil &&
		len(t.GetPortLevelSettings()) == 0 && t.GetRetryBudget() == nil {
		x.refuse(o, at, "says nothing")
	}
	x.checkParts(o, at, t.GetLoadBalancer(), t.GetConnectionPool(), t.GetOutlierDetection(), t.GetTls())
	seen := map[uint32]bool{}
	for i, p := range t.GetPortLevelSettings() {
		item, n := index(at+".portLevelSettings", i), p.GetPort().GetNumber()
		if p.GetPort() == nil {
			x.wrong(o, item, "a port is needed")
			continue
		}
		x.checkPort(o, item+".port.number", n)
		if seen[n] {
			x.wrong(o, item+".port.number", "%d is there twice", n)
		}
		seen[n] = true
		if p.GetLoadBalancer() == nil && p.GetConnectionPool() == nil && p.GetOutlierDetection() == nil && p.GetTls() == nil {
			x.refuse(o, item, "says nothing")
		}
		x.checkParts(o, item, p.GetLoadBalancer(), p.GetConnectionPool(), p.GetOutlierDetection(), p.GetTls())
	}
	x.checkBudget(o, at, t)
}

func (x *istio) checkParts(o *Object, at string, b *networking.LoadBalancerSettings, p *networking.ConnectionPoolSettings,
	d *networking.OutlierDetection, s *networking.ClientTLSSettings,
) {
	x.checkBalance(o, at+".loadBalancer", b, d)
	x.checkPool(o, at+".connectionPool", p)
	x.checkOutlier(o, at+".outlierDetection", d)
	x.checkTLS(o, at+".tls", s)
}

func (x *istio) checkBudget(o *Object, at string, t *networking.TrafficPolicy) {
	b := t.GetRetryBudget()
	if b == nil {
		return
	}
	if p := b.GetPercent(); p != nil && (p.GetValue() < 0 || p.GetValue() > 100) {
		x.wrong(o, at+".retryBudget.percent", "%v: must be 0 to 100", p.GetValue())
	}
	if b.GetBudgetInterval().AsDuration() != 0 {
		x.refuse(o, at+".retryBudget.budgetInterval", "retries are compared with the calls under way, not with those of some time")
	}
	if t.GetConnectionPool().GetHttp().GetMaxRetries() > 0 {
		x.warn(o, at+".connectionPool.http.maxRetries", "has no effect beside retryBudget, as in Envoy")
	}
}

func (x *istio) checkOutlier(o *Object, at string, d *networking.OutlierDetection) {
	if d == nil {
		return
	}
	x.checkDuration(o, at+".interval", d.GetInterval())
	x.checkDuration(o, at+".baseEjectionTime", d.GetBaseEjectionTime())
	if !d.GetSplitExternalLocalOriginErrors() && d.GetConsecutiveLocalOriginFailures().GetValue() > 0 {
		x.wrong(o, at+".consecutiveLocalOriginFailures", "needs splitExternalLocalOriginErrors")
	}
	for _, p := range []struct {
		name    string
		percent int32
	}{{"maxEjectionPercent", d.GetMaxEjectionPercent()}, {"minHealthPercent", d.GetMinHealthPercent()}} {
		if p.percent < 0 || p.percent > 100 {
			x.wrong(o, at+"."+p.name, "%d: must be 0 to 100", p.percent)
		}
	}
	five, gateway := uint32(5), d.GetConsecutiveGatewayErrors().GetValue()
	if n := d.GetConsecutive_5XxErrors(); n != nil {
		five = n.GetValue()
	}
	if five > 0 && gateway >= five {
		x.warn(o, at+".consecutiveGatewayErrors", "has no effect: %d of these are %d of consecutive5xxErrors first", gateway, five)
	}
}

// checkPool holds Istio's rules for connection pools.
func (x *istio) checkPool(o *Object, at string, p *networking.ConnectionPoolSettings) {
	if p == nil {
		return
	}
	tcp, http := p.GetTcp(), p.GetHttp()
	if tcp == nil && http == nil {
		x.refuse(o, at, "says nothing")
	}
	for _, n := range []struct {
		name  string
		value int32
	}{
		{".tcp.maxConnections", tcp.GetMaxConnections()}, {".http.http1MaxPendingRequests", http.GetHttp1MaxPendingRequests()},
		{".http.http2MaxRequests", http.GetHttp2MaxRequests()}, {".http.maxRetries", http.GetMaxRetries()},
		{".http.maxRequestsPerConnection", http.GetMaxRequestsPerConnection()},
	} {
		if n.value < 0 {
			x.wrong(o, at+n.name, "%d: must not be negative", n.value)
		}
	}
	x.checkDuration(o, at+".tcp.connectTimeout", tcp.GetConnectTimeout())
	x.checkDuration(o, at+".tcp.maxConnectionDuration", tcp.GetMaxConnectionDuration())
	x.checkDuration(o, at+".http.idleTimeout", http.GetIdleTimeout())
	if t := tcp.GetIdleTimeout(); t.AsDuration() != 0 {
		x.checkDuration(o, at+".tcp.idleTimeout", t)
	}
	x.checkDuration(o, at+".tcp.tcpKeepalive.time", tcp.GetTcpKeepalive().GetTime())
	x.checkDuration(o, at+".tcp.tcpKeepalive.interval", tcp.GetTcpKeepalive().GetInterval())
	if http.GetUseClientProtocol() && http.GetH2UpgradePolicy() == networking.ConnectionPoolSettings_HTTPSettings_UPGRADE {
		x.wrong(o, at+".http.useClientProtocol", "contradicts the h2UpgradePolicy UPGRADE")
	}
	if http.GetHttp1MaxPendingRequests() > 0 && limit(tcp.GetMaxConnections()) == 0 {
		x.warn(o, at+".http.http1MaxPendingRequests", "has no effect without tcp.maxConnections: a call has its connection to itself and does not wait")
	}
}

// checkTLS holds Istio's rules for how connections are secured.
func (x *istio) checkTLS(o *Object, at string, t *networking.ClientTLSSettings) {
	if t == nil {
		return
	}
	if t.GetInsecureSkipVerify().GetValue() {
		x.refuse(o, at+".insecureSkipVerify", "servers are always verified: give caCertificates")
	}
	files := t.GetClientCertificate() != "" || t.GetPrivateKey() != "" || t.GetCaCertificates() != ""
	switch t.GetMode() {
	case networking.ClientTLSSettings_MUTUAL:
		if t.GetClientCertificate() == "" || t.GetPrivateKey() == "" {
			x.wrong(o, at, "clientCertificate and privateKey are needed where the mode is MUTUAL")
		}
	case networking.ClientTLSSettings_ISTIO_MUTUAL:
		if files {
			x.wrong(o, at, "the mode ISTIO_MUTUAL has the certificates of the mesh, and no files")
		}
	case networking.ClientTLSSettings_SIMPLE:
		if t.GetClientCertificate() != "" || t.GetPrivateKey() != "" {
			x.warn(o, at, "the caller shows no certificate where the mode is SIMPLE; MUTUAL does")
		}
	case networking.ClientTLSSettings_DISABLE:
		if files || t.GetSni() != "" || len(t.GetSubjectAltNames()) > 0 {
			x.warn(o, at, "the mode is DISABLE, and nothing else here has an effect")
		}
	}
	if i := slices.Index(t.GetSubjectAltNames(), ""); i >= 0 {
		x.wrong(o, index(at+".subjectAltNames", i), "must not be empty")
	}
}
