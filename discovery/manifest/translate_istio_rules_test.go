package manifest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

// balanceBy is a rule that is told from others by its algorithm.
func balanceBy(host, simple string) string {
	return "{host: '" + host + "', trafficPolicy: {loadBalancer: {simple: " + simple + "}}}"
}

// TestDestinationRuleLookup holds Istio's rules for which rule counts, one a case.
func TestDestinationRuleLookup(t *testing.T) {
	const full = ".shop.svc.cluster.local"
	for name, c := range map[string]struct {
		cfg  Config
		text string
		want map[string]string // by service, "orders:80/v1" with port and subset
	}{
		"the most particular, whole": {text: dr("a", balanceBy("*.a.com", "RANDOM")) + dr("b", balanceBy("x.a.com", "ROUND_ROBIN")) + dr("c", "{host: y.a.com, trafficPolicy: {tls: {mode: DISABLE}}}"),
			want: map[string]string{"x.a.com": "round_robin", "z.a.com": "random", "y.a.com": "least_request disable", "a.com": ""}},
		"every host": {text: dr("a", balanceBy("*", "RANDOM")), want: map[string]string{"anybody": "random"}},
		"a wildcard holds for services by their short names": {text: kubeService("orders") + dr("a", balanceBy("*.local", "RANDOM")),
			want: map[string]string{"orders": "random"}},
		"the caller's namespace first, even with a wildcard": {text: dr("shop/a", balanceBy("orders", "RANDOM")) + dr("b", balanceBy("*.local", "ROUND_ROBIN")),
			want: map[string]string{"orders.shop": "round_robin"}},
		"then the service's": {text: dr("shop/a", balanceBy("orders", "RANDOM")) + dr("istio-system/b", balanceBy("orders"+full, "ROUND_ROBIN")),
			want: map[string]string{"orders.shop": "random"}},
		"then the root's":              {text: dr("istio-system/b", balanceBy("orders"+full, "ROUND_ROBIN")), want: map[string]string{"orders.shop": "round_robin"}},
		"no other one's":               {text: dr("third/b", balanceBy("orders"+full, "ROUND_ROBIN")), want: map[string]string{"orders.shop": ""}},
		"private to another namespace": {text: dr("shop/a", strings.Replace(balanceBy("orders", "RANDOM"), "}}}", "}}, exportTo: ['.']}", 1)), want: map[string]string{"orders.shop": ""}},
		"private to the root, where callers of the root look first": {cfg: Config{Namespace: "istio-system"},
			text: dr("istio-system/a", strings.Replace(balanceBy("orders"+full, "RANDOM"), "}}}", "}}, exportTo: ['.']}", 1)) + dr("shop/b", balanceBy("orders", "ROUND_ROBIN")),
			want: map[string]string{"orders.shop": "random"}},
		"callers of the root look at its other rules last": {cfg: Config{Namespace: "istio-system"},
			text: dr("istio-system/a", balanceBy("orders"+full, "RANDOM")) + dr("shop/b", balanceBy("orders", "ROUND_ROBIN")),
			want: map[string]string{"orders.shop": "round_robin"}},
		"of two for a host the first policy counts, and subsets add up": {
			text: dr("b@2025", "{host: a, trafficPolicy: {loadBalancer: {simple: RANDOM}}, subsets: [{name: v2, trafficPolicy: {loadBalancer: {simple: RANDOM}}}, {name: v1, trafficPolicy: {loadBalancer: {simple: RANDOM}}}]}") +
				dr("a@2024", "{host: a, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}, subsets: [{name: v1}]}"),
			want: map[string]string{"a": "round_robin", "a/v1": "round_robin", "a/v2": "random"}},
		"the first policy may be of the second": {text: dr("a", "{host: a, subsets: [{name: v1}]}") + dr("b", balanceBy("a", "RANDOM")),
			want: map[string]string{"a/v1": "random"}},
		"ports do not inherit": {text: dr("a", "{host: a, trafficPolicy: {loadBalancer: {simple: RANDOM}, portLevelSettings: [{port: {number: 81}, tls: {mode: DISABLE}}]}, subsets: [{name: v1}, {name: v2, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}, {name: v3, trafficPolicy: {portLevelSettings: [{port: {number: 82}, tls: {mode: SIMPLE}}]}}]}"),
			want: map[string]string{"a": "random", "a:81": "least_request disable", "a:81/v1": "least_request disable", "a:81/v2": "round_robin disable", "a:80/v2": "round_robin", "a:82/v3": "least_request simple", "a:81/v3": "least_request disable", "a:82": "random"}},
	} {
		t.Run(name, func(t *testing.T) {
			table, _ := compiled(t, c.cfg, traffic.Local{}, c.text)
			for service, want := range c.want {
				service, subset, _ := strings.Cut(service, "/")
				s, err := table.Settings(service, subset)
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				if s != nil {
					got = string(s.Balance.Algorithm)
					if s.TLS != nil {
						got += " " + string(s.TLS.Mode)
					}
				}
				if got != want {
					t.Errorf("%s/%s: %q, want %q", service, subset, got, want)
				}
			}
		})
	}
}

// TestDestinationRuleSettings holds what each field means, with Istio's defaults.
func TestDestinationRuleSettings(t *testing.T) {
	yes, no := true, false
	settings := func(s traffic.Settings) traffic.Settings {
		if s.Balance == nil {
			s.Balance = &traffic.Balance{Algorithm: balance.LeastRequest}
		}
		return s
	}
	hash := func(b traffic.Balance) traffic.Settings { return traffic.Settings{Balance: &b} }
	limits := func(l resilience.Limit) traffic.Settings {
		return traffic.Settings{Resilience: resilience.Policy{Limit: &l}}
	}
	outlier := func(o resilience.Outlier) traffic.Settings {
		o.Jitter, o.Strict = -1, true
		if o.MinHealthPercent == 0 {
			o.MinHealthPercent = -1
		}
		return traffic.Settings{Resilience: resilience.Policy{Outlier: &o}, Locality: &traffic.Locality{}}
	}
	off := func(s traffic.Settings) traffic.Settings { s.Locality = nil; return s }
	const noLocality = ", loadBalancer: {localityLbSetting: {enabled: false}}"
	for policy, want := range map[string]traffic.Settings{
		"loadBalancer: {}":                   {},
		"loadBalancer: {simple: LEAST_CONN}": {},
		"loadBalancer: {simple: UNSPECIFIED, warmup: {duration: 30s, minimumPercent: 50, aggression: 2}}":                          hash(traffic.Balance{Algorithm: balance.LeastRequest, SlowStart: &traffic.SlowStart{Window: 30 * time.Second, MinPercent: 50, Aggression: 2}}),
		"loadBalancer: {simple: ROUND_ROBIN, warmupDurationSecs: 30s}":                                                             hash(traffic.Balance{Algorithm: balance.RoundRobin, SlowStart: &traffic.SlowStart{Window: 30 * time.Second}}),
		"loadBalancer: {consistentHash: {httpHeaderName: x}}":                                                                      hash(traffic.Balance{Algorithm: balance.RingHash, Hash: &traffic.Key{Header: "x"}}),
		"loadBalancer: {consistentHash: {httpQueryParameterName: x, ringHash: {minimumRingSize: 2048}}}":                           hash(traffic.Balance{Algorithm: balance.RingHash, RingMin: 2048, Hash: &traffic.Key{Query: "x"}}),
		"loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 65537}}}":                                          hash(traffic.Balance{Algorithm: balance.Maglev, TableSize: 65537, Hash: &traffic.Key{Source: true}}),
		"loadBalancer: {consistentHash: {httpCookie: {name: u, ttl: 0s}}}":                                                         hash(traffic.Balance{Algorithm: balance.RingHash, Hash: &traffic.Key{Cookie: &traffic.Cookie{Name: "u", TTL: -1}}}),
		"loadBalancer: {consistentHash: {httpCookie: {name: u, ttl: 5s, path: /x}}}":                                               hash(traffic.Balance{Algorithm: balance.RingHash, Hash: &traffic.Key{Cookie: &traffic.Cookie{Name: "u", TTL: 5 * time.Second, Path: "/x"}}}),
		"loadBalancer: {consistentHash: {httpCookie: {name: u}}}":                                                                  hash(traffic.Balance{Algorithm: balance.RingHash, Hash: &traffic.Key{Cookie: &traffic.Cookie{Name: "u"}}}),
		"loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {'b/*': 100}}]}}":                                           {Locality: &traffic.Locality{Distribute: []traffic.Distribute{{From: "a", To: map[string]uint32{"b/*": 100}}}}},
		"loadBalancer: {localityLbSetting: {enabled: true}}":                                                                       {},
		"connectionPool: {tcp: {maxConnections: 100}, http: {http1MaxPendingRequests: 10, http2MaxRequests: 1000, maxRetries: 5}}": limits(resilience.Limit{Connections: 100, Pending: 10, Requests: 1000, Retries: 5}),
		"connectionPool: {tcp: {maxConnections: 1}}":                                                                               limits(resilience.Limit{Connections: 1, Pending: 1 << 30}),
		"connectionPool: {tcp: {maxConnections: 2147483647}}":                                                                      {},
		"connectionPool: {tcp: {connectTimeout: 30ms, idleTimeout: 5s, maxConnectionDuration: 1h, tcpKeepalive: {time: 7200s, interval: 75s, probes: 3}}}": {Connections: &traffic.Connections{
			ConnectTimeout: 30 * time.Millisecond, IdleTimeout: 5 * time.Second, MaxAge: time.Hour,
			Keepalive: &traffic.Keepalive{Idle: 7200 * time.Second, Interval: 75 * time.Second, Count: 3},
		}},
		"connectionPool: {tcp: {idleTimeout: 0s}}":                                 {Connections: &traffic.Connections{IdleTimeout: year}},
		"connectionPool: {tcp: {idleTimeout: 5s}, http: {idleTimeout: 1m}}":        {Connections: &traffic.Connections{IdleTimeout: time.Minute}},
		"connectionPool: {http: {h2UpgradePolicy: UPGRADE}}":                       {Connections: &traffic.Connections{HTTP2: &yes}},
		"connectionPool: {http: {h2UpgradePolicy: DO_NOT_UPGRADE}}":                {Connections: &traffic.Connections{HTTP2: &no}},
		"connectionPool: {http: {useClientProtocol: true}}":                        {Connections: &traffic.Connections{HTTP2: &no}},
		"connectionPool: {http: {maxRequestsPerConnection: 1}}":                    {Connections: &traffic.Connections{MaxRequests: 1}},
		"outlierDetection: {}":                                                     outlier(resilience.Outlier{}),
		"outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 3}": outlier(resilience.Outlier{Consecutive5xx: -1, ConsecutiveGateway: 3}),
		"outlierDetection: {interval: 1s, baseEjectionTime: 3m, maxEjectionPercent: 100, minHealthPercent: 30}": outlier(resilience.Outlier{
			Interval: time.Second, BaseEjection: 3 * time.Minute, MaxPercent: 100, MinHealthPercent: 30,
		}),
		"outlierDetection: {splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 7}": outlier(resilience.Outlier{SplitLocalOrigin: true, ConsecutiveLocalOrigin: 7}),
		"outlierDetection: {}" + noLocality: off(outlier(resilience.Outlier{})),
		"outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: [a, 'b=c']}}": {
			Locality: &traffic.Locality{FailoverPriority: []string{"a", "b=c"}}, Resilience: outlier(resilience.Outlier{}).Resilience,
		},
		"retryBudget: {}": {Resilience: resilience.Policy{Budget: &resilience.Budget{Kind: resilience.BudgetEnvoy}}},
		"retryBudget: {percent: 0, minRetryConcurrency: 5}":                                       {Resilience: resilience.Policy{Budget: &resilience.Budget{Kind: resilience.BudgetEnvoy, Percent: -1, MinConcurrency: 5}}},
		"tls: {mode: DISABLE}":                                                                    {TLS: &traffic.TLS{Mode: traffic.TLSDisable}},
		"tls: {mode: SIMPLE, sni: a.com, subjectAltNames: [b]}":                                   {TLS: &traffic.TLS{Mode: traffic.TLSSimple, ServerName: "a.com", Names: []string{"b"}}},
		"tls: {mode: SIMPLE, caCertificates: system}":                                             {TLS: &traffic.TLS{Mode: traffic.TLSSimple}},
		"tls: {mode: MUTUAL, clientCertificate: c.pem, privateKey: k.pem, caCertificates: a.pem}": {TLS: &traffic.TLS{Mode: traffic.TLSMutual, Cert: "c.pem", Key: "k.pem", CA: "a.pem"}},
		"tls: {mode: ISTIO_MUTUAL}":                                                               {TLS: &traffic.TLS{Mode: traffic.TLSMesh}},
	} {
		t.Run(policy, func(t *testing.T) {
			_, s := compiled(t, Config{}, traffic.Local{}, dr("a", "{host: a, trafficPolicy: {"+policy+"}}"))
			if diff := cmp.Diff(settings(want), s.Policy.Destinations[0].Settings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSubsetsStandApart: what a subset has not, where a port's settings inherit nothing, is given as none.
func TestSubsetsStandApart(t *testing.T) {
	table, _ := compiled(t, Config{}, traffic.Local{}, dr("a", `{host: a, trafficPolicy: {outlierDetection: {}, tls: {mode: DISABLE}, connectionPool: {tcp: {maxConnections: 5, connectTimeout: 1s}}},
		subsets: [{name: v1, trafficPolicy: {portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM}}]}}]}`))
	at80, err := table.Settings("a:80", "v1")
	if err != nil {
		t.Fatal(err)
	}
	if o := at80.Resilience.Outlier.OrDefault(); o.Consecutive5xx != 0 || o.ConsecutiveGateway != 0 {
		t.Errorf("ejections are on: %+v", o)
	}
	if *at80.Resilience.Limit != (resilience.Limit{}) || at80.TLS.Mode != "" || at80.Connections.ConnectTimeout != 0 || at80.Locality != anywhere {
		t.Errorf("inherited: %+v", at80)
	}
	other, err := table.Settings("a:81", "v1")
	if err != nil || other.Resilience.Limit.Connections != 5 || other.TLS.Mode != traffic.TLSDisable {
		t.Errorf("%+v, %v", other, err)
	}
}

// TestEjectionsWithoutEffect: 10 percent of fewer than ten endpoints is none.
func TestEjectionsWithoutEffect(t *testing.T) {
	entry := func(n int) string {
		return istioText("ServiceEntry", "a", "{hosts: [a.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: STATIC, endpoints: ["+
			strings.Repeat("{address: 10.0.0.1, labels: {version: v1}}, ", n)+"]}")
	}
	addresses := func(text string) string {
		for i := 1; strings.Contains(text, "address: 10.0.0.1,"); i++ {
			text = strings.Replace(text, "address: 10.0.0.1,", "address: 10.0.1."+decimal(uint32(i))+",", 1)
		}
		return text
	}
	rule := func(percent string) string {
		return dr("a", "{host: a.com, trafficPolicy: {outlierDetection: {"+percent+"}}}")
	}
	for name, c := range map[string]struct{ text, want string }{
		"nine":       {addresses(entry(9)) + rule(""), "warning spec.trafficPolicy.outlierDetection: ejects nobody: 10 % of 9 endpoints is less than one; maxEjectionPercent: 12 would eject one"},
		"ten":        {addresses(entry(10)) + rule(""), ""},
		"half":       {addresses(entry(2)) + rule("maxEjectionPercent: 50"), ""},
		"not known":  {rule(""), ""},
		"of subsets": {addresses(entry(10)) + dr("a", "{host: a.com, subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {outlierDetection: {maxEjectionPercent: 5}}}, {name: v2, labels: {version: v2}, trafficPolicy: {outlierDetection: {}}}]}"), "warning spec.subsets[0].trafficPolicy.outlierDetection: ejects nobody: 5 % of 10 endpoints is less than one; maxEjectionPercent: 10 would eject one"},
	} {
		t.Run(name, func(t *testing.T) { compareFindings(t, c.text, "DestinationRule/a", c.want) })
	}
}
