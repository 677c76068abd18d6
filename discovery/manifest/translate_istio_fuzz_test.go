package manifest

import (
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

// FuzzIstio reads the specs of two resources. What it takes must be a policy that a client takes, too, and what it does not
// take must be told with its place.
func FuzzIstio(f *testing.F) {
	for _, s := range [][2]string{
		{"{hosts: [a], http: [{route: [{destination: {host: a, subset: v1}, weight: 1}, {destination: {host: b}, weight: 3}]}]}", subsets},
		{"{hosts: ['*.a.com'], http: [{match: [{uri: {regex: '/a.*'}, headers: {x: {}}, port: 80}], rewrite: {uri: /b}, route: [{destination: {host: a}}], retries: {attempts: 3, retryOn: '5xx,503'}, timeout: 1s}]}", "{host: '*', trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: a, ttl: 0s}}}}}"},
		{"{hosts: [a], http: [{fault: {delay: {fixedDelay: 1s, percentage: {value: 1}}, abort: {grpcStatus: UNAVAILABLE, percentage: {value: 2}}}, mirror: {host: b}, mirrorPercentage: {value: 5}, route: [{destination: {host: a}}]}]}", "{host: a, trafficPolicy: {outlierDetection: {}, tls: {mode: ISTIO_MUTUAL}, portLevelSettings: [{port: {number: 81}, tls: {}}]}}"},
		{"{hosts: [a], http: [{redirect: {uri: /x, derivePort: FROM_REQUEST_PORT, scheme: https}}, {directResponse: {status: 200, body: {bytes: YQ==}}}]}", "{host: a, trafficPolicy: {connectionPool: {tcp: {maxConnections: 1, tcpKeepalive: {}}, http: {h2UpgradePolicy: UPGRADE}}, retryBudget: {percent: 5}}}"},
		{"{http: [{route: [{destination: {host: a}}]}]}", "{host: a, trafficPolicy: {loadBalancer: {localityLbSetting: {distribute: [{from: 'a/*', to: {b: 100}}]}, warmup: {duration: 5s}}}, subsets: [{name: v1, labels: {a: b}}]}"},
		{"{hosts: [a], http: [{match: [{uri: {prefix: /}}], delegate: {name: x}}, {headers: {request: {set: {host: b, x: '%%'}, remove: [y]}}, route: [{destination: {host: a}}]}]}", "{host: a.b, exportTo: ['.']}"},
	} {
		f.Add(s[0], s[1], false)
		f.Add(s[0], s[1], true)
	}
	f.Fuzz(func(t *testing.T, virtual, rule string, lenient bool) {
		if strings.ContainsAny(virtual+rule, "\r\n") {
			t.Skip("one line each")
		}
		s, found := Parse(Config{Lenient: lenient}, map[string]string{"a.yaml": vs("x", virtual) + dr("x", rule)})
		for _, x := range found {
			if x.Object != "" && x.Line == 0 || x.Why == "" {
				t.Errorf("a finding without a place or a reason: %#v", x)
			}
		}
		if (s == nil) != (found.Err() != nil) {
			t.Fatalf("a state: %v, and errors: %v", s != nil, found.Err())
		}
		if s == nil {
			return
		}
		table, err := traffic.Compile(s.Policy, traffic.Local{Addr: "10.0.0.1"})
		if err != nil {
			t.Fatalf("a policy that no client takes: %v", err)
		}
		for i := range s.Policy.Routes {
			for _, host := range s.Policy.Routes[i].Hosts {
				goes(table, &traffic.Request{Scheme: "http", Service: strings.Replace(host, "*", "x", 1), Path: "/", Method: "GET"})
			}
		}
	})
}
