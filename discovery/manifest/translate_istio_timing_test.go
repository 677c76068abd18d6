package manifest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/resilience"
)

// TestVirtualServiceTiming holds what timeouts, retries, faults, mirrors and headers mean, with Istio's defaults.
func TestVirtualServiceTiming(t *testing.T) {
	retry := func(r resilience.Retry) *resilience.Retry {
		if r.On == nil {
			r.On = []string{"connect-failure", "refused-stream", "unavailable", "cancelled"}
		}
		if r.PerTry == 0 {
			r.PerTry = -1
		}
		return &r
	}
	two := retry(resilience.Retry{Retries: 2})
	for fields, want := range map[string]traffic.Route{
		"name: a":                {Timeout: -1, Retry: two},
		"timeout: 2s":            {Timeout: 2 * time.Second, Retry: two},
		"retries: {attempts: 0}": {Timeout: -1, NoRetry: true},
		"retries: {}":            {Timeout: -1, NoRetry: true},
		"retries: {attempts: 3}": {Timeout: -1, Retry: retry(resilience.Retry{Retries: 3})},
		"retries: {attempts: 1, retryOn: '5xx, 429,retriable-status-codes'}": {Timeout: -1, Retry: retry(resilience.Retry{Retries: 1, On: []string{"5xx", "429"}})},
		"retries: {attempts: 1, retryOn: retriable-headers}":                 {Timeout: -1, NoRetry: true},
		"retries: {attempts: 1, perTryTimeout: 2s, backoff: 1s}": {Timeout: -1, Retry: retry(resilience.Retry{
			Retries: 1, PerTry: 2 * time.Second, Backoff: resilience.Backoff{Base: time.Second, Max: 10 * time.Second},
		})},
		"timeout: 1s, retries: {attempts: 5}, fault: {delay: {fixedDelay: 7s, percentage: {value: 0.1}}}": {
			Timeout: -1, NoRetry: true, Faults: []traffic.Fault{{Percent: 0.1, Scope: traffic.ScopeCall, Delay: 7 * time.Second}},
		},
		"fault: {delay: {fixedDelay: 1s, percent: 5}, abort: {grpcStatus: NOT_FOUND, percentage: {value: 50}}}": {
			Timeout: -1, NoRetry: true, Faults: []traffic.Fault{
				{Percent: 5, Scope: traffic.ScopeCall, Delay: time.Second},
				{Percent: 50, Scope: traffic.ScopeCall, Abort: &traffic.Abort{Code: "NOT_FOUND"}},
			},
		},
		"timeout: 1s, fault: {delay: {fixedDelay: 1s, percentage: {value: 0}}}": {Timeout: time.Second, Retry: two},
		"timeout: 1s, fault: {abort: {httpStatus: 500}}":                        {Timeout: time.Second, Retry: two},
		"mirror: {host: c}": {Timeout: -1, Retry: two, Mirrors: []traffic.Mirror{{Service: "c", Percent: 100}}},
		"mirror: {host: c}, mirrorPercentage: {value: 0}":                                         {Timeout: -1, Retry: two},
		"mirror: {host: c, port: {number: 81}}, mirrorPercent: 7":                                 {Timeout: -1, Retry: two, Mirrors: []traffic.Mirror{{Service: "c", Port: 81, Percent: 7}}},
		"mirrors: [{destination: {host: c}}, {destination: {host: d}, percentage: {value: 2.5}}]": {Timeout: -1, Retry: two, Mirrors: []traffic.Mirror{{Service: "c", Percent: 100}, {Service: "d", Percent: 2.5}}},
		"headers: {request: {set: {a: '5%%'}, add: {b: c}, remove: [d]}, response: {remove: [e]}}": {Timeout: -1, Retry: two, Headers: traffic.Headers{
			Request:  traffic.HeaderOps{Set: map[string]string{"a": "5%"}, Add: map[string]string{"b": "c"}, Remove: []string{"d"}},
			Response: traffic.HeaderOps{Remove: []string{"e"}},
		}},
	} {
		t.Run(fields, func(t *testing.T) {
			_, s := compiled(t, Config{}, traffic.Local{}, vs("x", "{hosts: [a], http: [{"+fields+", route: [{destination: {host: b}}]}]}"))
			got := s.Policy.Routes[0]
			got.Name, got.Hosts, got.To = "", nil, nil
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestResourcesThatMeet: of what has no effect beside another resource its author hears.
func TestResourcesThatMeet(t *testing.T) {
	one := "{hosts: [a], http: [{route: [{destination: {host: b}}]}]}"
	for name, c := range map[string]struct{ text, object, want string }{
		"two for a host": {vs("a", one) + vs("b", one), "VirtualService/b",
			`warning spec.hosts[0]: has no effect: VirtualService/a has "a.default.svc.cluster.local" already, and of two the older one counts`},
		"two policies": {dr("a", balanceBy("a", "RANDOM")) + dr("b", balanceBy("a", "RANDOM")), "DestinationRule/b",
			`warning spec.trafficPolicy: has no effect: DestinationRule/a has one for "a.default.svc.cluster.local" already, and of two the older one counts`},
		"two subsets": {dr("a", "{host: a, subsets: [{name: v1}]}") + dr("b", "{host: a, subsets: [{name: v1}]}"), "DestinationRule/b",
			`warning spec.subsets[0]: has no effect: DestinationRule/a has a subset "v1" already, and of two the older one counts`},
		"where nobody looks": {dr("third/a", balanceBy("a.shop.svc.cluster.local", "RANDOM")), "DestinationRule/third/a",
			"warning spec.host: has no effect: Istio looks in the namespace of the caller, of the service and in istio-system"},
		"behind the caller's own": {dr("shop/a", balanceBy("a", "RANDOM")) + dr("b", balanceBy("*", "RANDOM")), "DestinationRule/shop/a",
			"warning spec.host: has no effect: callers of default take DestinationRule/b, as Istio looks in the namespace of the caller, of the service and in istio-system"},
	} {
		t.Run(name, func(t *testing.T) { compareFindings(t, c.text, c.object, c.want) })
	}
}

// TestLenient: what cannot be honoured is left out, and the rest holds.
func TestLenientIstio(t *testing.T) {
	text := vs("x", "{hosts: [a], tcp: [{route: [{destination: {host: b}}]}], http: [{corsPolicy: {}, retries: {attempts: 20, retryRemoteLocalities: true}, route: [{destination: {host: b}}]}]}") +
		dr("x", "{host: a, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}, proxyProtocol: {}}}")
	_, s := compiled(t, Config{Lenient: true}, traffic.Local{}, text)
	if r := s.Policy.Routes; len(r) != 1 || r[0].Retry.Retries != 10 {
		t.Errorf("%v", s.Policy)
	}
	_, found := Parse(Config{Lenient: true}, map[string]string{"a.yaml": text})
	if len(found) != 6 || found.Err() != nil || !strings.Contains(found[0].Why, "left out") {
		t.Errorf("%v", found)
	}
}
