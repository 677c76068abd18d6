package manifest

import (
	"regexp"
	"testing"
)

const gatewayText = `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders}
spec:
  parentRefs: [{group: "", kind: Service, name: orders, port: 80}]
  rules:
  - matches: [{path: {type: PathPrefix, value: /v1}, headers: [{name: x, value: y}], method: GET}]
    filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], remove: [c]}}
    - {type: URLRewrite, urlRewrite: {hostname: b, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}
    backendRefs: [{name: orders-v1, port: 80, weight: 90}, {name: orders-v2, port: 80, weight: 10}]
    timeouts: {request: 10s, backendRequest: 2s}
    retry: {codes: [500, 503], attempts: 2, backoff: 100ms}
    sessionPersistence: {type: Cookie, cookieConfig: {lifetimeType: Session}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: orders}
spec:
  parentRefs: [{group: "", kind: Service, name: orders}]
  rules: [{matches: [{method: {service: a.B, method: C}}], backendRefs: [{name: orders, port: 9090}]}]
`

// seeds are texts of every kind, good and bad.
func seeds() []string {
	return []string{
		"", "---\n---\n", good, static, selecting, kube, ending, gatewayText, shop(7),
		entryText("{hosts: ['*.a.com'], resolution: DNS, " + web + "}"),
		"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: ExternalName, externalName: b.c}}]}",
		`
apiVersion: networking.istio.io/v1alpha3
kind: DestinationRule
metadata: {name: my-service-rules}
spec:
  host: my-service
  trafficPolicy:
    loadBalancer: {simple: ROUND_ROBIN}
    outlierDetection: {consecutive5xxErrors: 3, interval: 10s, baseEjectionTime: 30s}
    tls: {mode: ISTIO_MUTUAL}
    connectionPool:
      tcp: {maxConnections: 100}
      http: {http1MaxPendingRequests: 10, http2MaxRequests: 1000, maxRequestsPerConnection: 100, idleTimeout: 1m, h2UpgradePolicy: UPGRADE}
`,
		"a: &a [*a]", "a: &a {<<: *a}", "&a x: *a", "apiVersion: v1\nkind: Service\nmetadata: {<<: [{name: a}, {name: b}]}\nspec: {ports: [{port: 8e1}]}\n",
		"%YAML 1.2\n---\n" + good, "\ufeff" + good, `{"apiVersion":"v1","kind":"Se\u0072vice","metadata":{"name":"a"},"spec":{}}`,
		"apiVersion: v1\nkind: !!binary U2VydmljZQ==\nmetadata: !x {name: 1}\n", "? [a]\n: b\n", "apiVersion: apps/v1\nkind: Deployment\n",
	}
}

// FuzzParse reads anything. What it makes of it is either good all through, or told with its place.
func FuzzParse(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(checkText)
}

// words are the pieces of a text that FuzzDecode replaces.
var words = regexp.MustCompile(`[A-Za-z0-9_.*/-]+`)

// FuzzDecode changes one word of a good text, so that what comes behind the reader meets values that it does not expect.
func FuzzDecode(f *testing.F) {
	texts := seeds()
	for i := range texts {
		for n, by := range []string{"", "0", "-1", "99999999999", "{}", "[]", "[[]]", "null", "1h", "a.b", "*", "'*'", "true", "\"\"", "(", "/", "DNS"} {
			f.Add(uint(i), uint(7*n+i), by, false)
		}
	}
	f.Fuzz(func(t *testing.T, seed, place uint, by string, lenient bool) {
		text := texts[seed%uint(len(texts))]
		all := words.FindAllStringIndex(text, -1)
		if len(all) > 0 {
			at := all[place%uint(len(all))]
			text = text[:at[0]] + by + text[at[1]:]
		}
		checkText(t, text, lenient)
	})
}

// checkText reads a text and checks that what is made of it is good all through, or told with its place.
func checkText(t *testing.T, text string, lenient bool) {
	state, found := Parse(Config{Lenient: lenient}, map[string]string{"a.yaml": text})
	if (state == nil) != (found.Err() != nil) {
		t.Fatalf("a state: %v, and errors: %v", state != nil, found.Err())
	}
	for _, x := range found {
		if x.Why == "" || x.Line < 0 || x.Object != "" && x.Line == 0 {
			t.Errorf("a finding without place or reason: %#v", x)
		}
	}
	if state == nil {
		return
	}
	if err := state.Policy.Validate(); err != nil {
		t.Errorf("the policy is refused: %v", err)
	}
	for _, name := range state.Services() {
		p := state.plan(name)
		for _, e := range append(p.ready, p.lookup...) {
			if err := e.Validate(); err != nil {
				t.Errorf("%s has the endpoint %+v: %v", name, e, err)
			}
		}
	}
}

// FuzzPosition asks for any field.
func FuzzPosition(f *testing.F) {
	for _, s := range []string{"", "spec", "spec.ports[0].name", `spec.selector["app"]`, "spec.ports[9].x", "[", `["`, "..", "spec[-1]", "[0][", "spec.ports.0"} {
		f.Add(s)
	}
	s, found := Parse(Config{}, map[string]string{"a.yaml": kube})
	if s == nil {
		f.Fatal(found.Err())
	}
	f.Fuzz(func(t *testing.T, path string) {
		for _, o := range s.Objects {
			if line, column := o.Position(path); line < 1 || column < 1 {
				t.Errorf("%q is at %d:%d", path, line, column)
			}
		}
	})
}
