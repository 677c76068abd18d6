package manifest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/intramesh/intramesh/resilience"
)

// TestGatewayLimits holds HTTPRouteTimeouts ("Setting a timeout to the zero duration SHOULD disable the timeout completely") and
// HTTPRouteRetry ("Implementations SHOULD retry on connection errors if a retry stanza is configured").
func TestGatewayLimits(t *testing.T) {
	for rule, want := range map[string]struct {
		timeout time.Duration
		retry   *resilience.Retry
	}{
		"timeouts: {}":                                   {0, nil},
		"timeouts: {request: 10s}":                       {10 * time.Second, nil},
		"timeouts: {request: 0s}":                        {-1, nil},
		"timeouts: {request: 1m30s, backendRequest: 2s}": {2 * time.Second, nil},
		"timeouts: {backendRequest: 250ms}":              {250 * time.Millisecond, nil},
		"timeouts: {request: 10s, backendRequest: 0s}":   {10 * time.Second, nil},
		"timeouts: {request: 0s, backendRequest: 2s}":    {2 * time.Second, nil},
		"retry: {}": {0, &resilience.Retry{On: []string{"reset"}}},
		"retry: {attempts: 1, codes: [500, 429]}":                            {0, &resilience.Retry{Retries: 1, On: []string{"reset", "500", "429"}}},
		"retry: {attempts: 10}, timeouts: {request: 4s, backendRequest: 1s}": {4 * time.Second, &resilience.Retry{Retries: 10, On: []string{"reset"}, PerTry: time.Second}},
		"retry: {}, timeouts: {request: 0s, backendRequest: 0s}":             {-1, &resilience.Retry{On: []string{"reset"}, PerTry: -1}},
	} {
		route := readRoutes(t, routeText("name: r", ruleTo("b", rule))).state.Policy.Routes[0]
		if route.Timeout != want.timeout || !cmp.Equal(route.Retry, want.retry) {
			t.Errorf("%s: %v %+v", rule, route.Timeout, route.Retry)
		}
	}
}

// TestGatewayCounts holds the bounds for the rules of a route together.
func TestGatewayCounts(t *testing.T) {
	rules := func(n, matches int, more string) string {
		var b strings.Builder
		for i := range n {
			var list []string
			for j := range matches {
				list = append(list, fmt.Sprintf("{path: {value: /%d/%d}}", i, j))
			}
			b.WriteString(ruleTo("b", more+"matches: ["+strings.Join(list, ", ")+"]"))
		}
		return b.String()
	}
	for _, c := range []struct {
		n, matches int
		more, want string
	}{
		{16, 8, "", ""},
		{17, 1, "", "error 6: HTTPRoute/r: spec.rules: 17 entries; at most 16"},
		{3, 43, "", "error 6: HTTPRoute/r: spec.rules: 129 matches in all rules together; at most 128"},
		{2, 1, "name: twice, ", `error 8: HTTPRoute/r: spec.rules[1].name: "twice" is the name of another rule of this route`},
	} {
		if got := findingsOf(t, Config{}, routeText("name: r", rules(c.n, c.matches, c.more))); got != c.want {
			t.Errorf("%d rules with %d matches: got\n%s", c.n, c.matches, got)
		}
	}
}

// TestGatewayNames: routes of the policy have the names of their rules, and say which part of a rule they are.
func TestGatewayNames(t *testing.T) {
	text := "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: shop}\nspec:\n" +
		"  parentRefs: [{group: \"\", kind: Service, name: a}, {group: \"\", kind: Service, name: b, port: 80}]\n  rules:\n" +
		ruleTo("x", "name: first, matches: [{path: {value: /a/b}}, {path: {value: /}}]") + ruleTo("y", "matches: [{path: {value: /a}}]")
	s := readRoutes(t, text).state
	var got []string
	for i, r := range s.Policy.Routes {
		got = append(got, r.Name+": "+s.RouteOrigin(i).Field)
	}
	want := []string{
		"HTTPRoute/shop/r/first/matches[0] for a.shop: spec.rules[0].matches[0]",
		"HTTPRoute/shop/r/rules[1] for a.shop: spec.rules[1].matches[0]",
		"HTTPRoute/shop/r/first/matches[1] for a.shop: spec.rules[0].matches[1]",
		"HTTPRoute/shop/r/first/matches[0] for b.shop:80: spec.rules[0].matches[0]",
		"HTTPRoute/shop/r/rules[1] for b.shop:80: spec.rules[1].matches[0]",
		"HTTPRoute/shop/r/first/matches[1] for b.shop:80: spec.rules[0].matches[1]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
