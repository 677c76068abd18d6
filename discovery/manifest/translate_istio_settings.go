package manifest

import (
	"math"
	"reflect"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/resilience"
)

// settings are how a destination is treated. What Istio has no default for is left to the client.
func (x *istio) settings(p policy) traffic.Settings {
	s := traffic.Settings{
		Balance: balanceOf(p.balance), Locality: preferenceOf(p.balance.GetLocalityLbSetting(), p.outlier != nil),
		Connections: connectionsOf(p.pool), TLS: tlsOf(p.tls),
	}
	s.Resilience.Limit = limitOf(p.pool, p.budget != nil)
	s.Resilience.Outlier = outlierOf(p.outlier)
	s.Resilience.Budget = budgetOf(p.budget)
	return s
}

// apart are the settings of a subset beside those of its host. Parts that are the same are left out, since they are the
// host's then; parts that the host alone has are given as what they are without it, since in Istio the settings of a port
// inherit nothing.
func apart(sub, host traffic.Settings) traffic.Settings {
	sub.Balance = differing(sub.Balance, host.Balance, &traffic.Balance{})
	sub.Connections = differing(sub.Connections, host.Connections, &traffic.Connections{})
	sub.TLS = differing(sub.TLS, host.TLS, &traffic.TLS{})
	sub.Locality = differing(sub.Locality, host.Locality, anywhere)
	sub.Resilience.Limit = differing(sub.Resilience.Limit, host.Resilience.Limit, &resilience.Limit{})
	sub.Resilience.Outlier = differing(sub.Resilience.Outlier, host.Resilience.Outlier, &resilience.Outlier{Consecutive5xx: -1})
	sub.Resilience.Budget = differing(sub.Resilience.Budget, host.Resilience.Budget, nil)
	return sub
}

// anywhere sends requests from everywhere to everywhere.
var anywhere = &traffic.Locality{Distribute: []traffic.Distribute{{From: "*", To: map[string]uint32{"*": 100}}}}

// differing is a part of a subset: nil where it is that of the host, and none where only the host has one.
func differing[T any](sub, host, none *T) *T {
	switch {
	case reflect.DeepEqual(sub, host):
		return nil
	case sub == nil:
		return none
	}
	return sub
}

// outlierOf has Istio's defaults: ways of detection that it does not have are off, ejections last for a fixed time, shares
// are taken to the letter, and ejections always count.
func outlierOf(o *networking.OutlierDetection) *resilience.Outlier {
	if o == nil {
		return nil
	}
	to := &resilience.Outlier{
		Interval: o.GetInterval().AsDuration(), BaseEjection: o.GetBaseEjectionTime().AsDuration(), Jitter: -1,
		MaxPercent: int(o.GetMaxEjectionPercent()), Strict: true, MinHealthPercent: -1,
		ConsecutiveGateway: int(o.GetConsecutiveGatewayErrors().GetValue()),
	}
	if n := o.GetConsecutive_5XxErrors(); n != nil {
		to.Consecutive5xx = orOff(n.GetValue())
	}
	if n := o.GetMinHealthPercent(); n > 0 {
		to.MinHealthPercent = int(n)
	}
	if o.GetSplitExternalLocalOriginErrors() {
		to.SplitLocalOrigin = true
		to.ConsecutiveLocalOrigin = int(o.GetConsecutiveLocalOriginFailures().GetValue())
	}
	return to
}

// orOff is a number of which 0 means off.
func orOff(n uint32) int {
	if n == 0 {
		return -1
	}
	return int(n)
}

// unlimited is where a limit is none: Istio's own default is 2^32-1, and people write 2^31-1.
const unlimited = 1 << 30

// limitOf are the limits of a pool. Nobody is bounded by what is not given. Beside a budget maxRetries has no effect, as in
// Envoy.
func limitOf(p *networking.ConnectionPoolSettings, budget bool) *resilience.Limit {
	to := resilience.Limit{
		Connections: limit(p.GetTcp().GetMaxConnections()), Requests: limit(p.GetHttp().GetHttp2MaxRequests()),
		Retries: limit(p.GetHttp().GetMaxRetries()), Pending: limit(p.GetHttp().GetHttp1MaxPendingRequests()),
	}
	if budget {
		to.Retries = 0
	}
	if to == (resilience.Limit{}) {
		return nil
	}
	if to.Pending == 0 && to.Connections > 0 {
		to.Pending = unlimited
	}
	return &to
}

func limit(n int32) int {
	if n >= unlimited {
		return 0
	}
	return int(n)
}

// budgetOf is Envoy's kind of budget.
func budgetOf(b *networking.TrafficPolicy_RetryBudget) *resilience.Budget {
	if b == nil {
		return nil
	}
	to := &resilience.Budget{Kind: resilience.BudgetEnvoy, MinConcurrency: int(min(b.GetMinRetryConcurrency(), 1e6))}
	if p := b.GetPercent(); p != nil {
		if to.Percent = p.GetValue(); to.Percent == 0 {
			to.Percent = -1
		}
	}
	return to
}

// year is the longest that policy knows, in the place of "never".
const year = 8760 * time.Hour

// connectionsOf are the connections of a pool. The idle time of HTTP goes before that of TCP, as in Istio.
func connectionsOf(p *networking.ConnectionPoolSettings) *traffic.Connections {
	tcp, http := p.GetTcp(), p.GetHttp()
	to := traffic.Connections{
		ConnectTimeout: tcp.GetConnectTimeout().AsDuration(), MaxAge: tcp.GetMaxConnectionDuration().AsDuration(),
		IdleTimeout: idle(http.GetIdleTimeout(), tcp.GetIdleTimeout()), HTTP2: http2(http),
	}
	if n := http.GetMaxRequestsPerConnection(); n < math.MaxInt32 {
		to.MaxRequests = int(n)
	}
	if k := tcp.GetTcpKeepalive(); k != nil {
		to.Keepalive = &traffic.Keepalive{
			Idle: k.GetTime().AsDuration(), Interval: k.GetInterval().AsDuration(), Count: int(k.GetProbes()),
		}
	}
	if to == (traffic.Connections{}) {
		return nil
	}
	return &to
}

func idle(http, tcp *durationpb.Duration) time.Duration {
	switch {
	case http != nil:
		return http.AsDuration()
	case tcp != nil && tcp.AsDuration() == 0:
		return year
	}
	return tcp.AsDuration()
}

// http2 says whether HTTP travels over HTTP/2; nil leaves it to the client.
func http2(h *networking.ConnectionPoolSettings_HTTPSettings) *bool {
	yes, no := true, false
	switch {
	case h.GetUseClientProtocol(), h.GetH2UpgradePolicy() == networking.ConnectionPoolSettings_HTTPSettings_DO_NOT_UPGRADE:
		return &no
	case h.GetH2UpgradePolicy() == networking.ConnectionPoolSettings_HTTPSettings_UPGRADE:
		return &yes
	}
	return nil
}

// tlsOf is how connections are secured.
func tlsOf(t *networking.ClientTLSSettings) *traffic.TLS {
	if t == nil {
		return nil
	}
	to := &traffic.TLS{
		ServerName: t.GetSni(), Names: t.GetSubjectAltNames(), CA: t.GetCaCertificates(),
		Cert: t.GetClientCertificate(), Key: t.GetPrivateKey(),
	}
	if to.CA == "system" { // as Istio names the system's own
		to.CA = ""
	}
	switch t.GetMode() {
	case networking.ClientTLSSettings_SIMPLE:
		to.Mode = traffic.TLSSimple
		to.Cert, to.Key = "", ""
	case networking.ClientTLSSettings_MUTUAL:
		to.Mode = traffic.TLSMutual
	case networking.ClientTLSSettings_ISTIO_MUTUAL:
		to.Mode = traffic.TLSMesh
	default:
		return &traffic.TLS{Mode: traffic.TLSDisable}
	}
	return to
}
