package manifest

import (
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

// FuzzGatewayRules reads rules of routes: whatever they say, every finding has its place, and a policy that is made can be used.
func FuzzGatewayRules(f *testing.F) {
	for _, rule := range []string{
		"{matches: [{path: {value: /a}, method: GET, headers: [{name: b, value: c}], queryParams: [{name: d, value: e}]}], " + oneBackend + "}",
		"{filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: 'a b'}}}]}",
		"{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: '?'}}}], " + oneBackend + "}",
		"{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: te, value: ' a'}], remove: [':']}}]}",
		"{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: a, port: 1}, fraction: {numerator: 1, denominator: 3}}}], " + oneBackend + "}",
		"{matches: [{headers: [{name: Host, type: RegularExpression, value: .*}]}], retry: {attempts: 99, codes: [500]}, timeouts: {request: 0s}}",
		"{matches: [{method: {service: a.B, method: C}, headers: [{name: D, value: e}]}], backendRefs: [{name: a, port: 80, weight: 2}]}",
		"{filters: [{urlRewrite: {path: {''}}}]}", // a key of no text
		"{backendRefs: [{name: a, port: 80, weight: 1000000, filters: [{type: ExtensionRef, extensionRef: {}}]}, {name: a, port: 80}]}",
	} {
		f.Add(rule, false, false)
		f.Add(rule, true, strings.Contains(rule, "service"))
	}
	f.Fuzz(func(t *testing.T, rule string, lenient, grpc bool) {
		text := routeText("name: r", "  - "+rule+"\n  - {matches: [{}], "+oneBackend+"}")
		if grpc {
			text = strings.Replace(text, "HTTP", "GRPC", 1)
		}
		s, found := Parse(Config{Lenient: lenient}, map[string]string{"a.yaml": text})
		for _, x := range found {
			if x.Object != "" && (x.File == "" || x.Line == 0) {
				t.Errorf("no place: %+v", x)
			}
		}
		if s == nil {
			return
		}
		if _, err := traffic.Compile(s.Policy, traffic.Local{Addr: "127.0.0.1"}); err != nil {
			t.Error(err)
		}
		if len(s.Policy.Routes) != len(s.routes) {
			t.Errorf("%d routes of %d places", len(s.Policy.Routes), len(s.routes))
		}
	})
}
