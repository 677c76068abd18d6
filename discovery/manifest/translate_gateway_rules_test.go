package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

// routeRig is a process of the namespace default that has read manifests.
type routeRig struct {
	t     *testing.T
	state *State
	table *traffic.Table
}

// readRoutes reads manifests, of which warnings are no mistake.
func readRoutes(t *testing.T, text string) *routeRig {
	t.Helper()
	r := &routeRig{t: t, state: parse(t, Config{}, text)}
	r.compile()
	return r
}

func (r *routeRig) compile() {
	r.t.Helper()
	var err error
	if r.table, err = traffic.Compile(r.state.Policy, traffic.Local{}); err != nil {
		r.t.Fatal(err)
	}
}

// send is who answers "GET http://orders:80/v1?x=1 x-user=7", or "grpc orders:80/pkg.Service/Method x-user=7": the name of the
// route and of each backend with its weight.
func (r *routeRig) send(line string) string {
	r.t.Helper()
	words := strings.Fields(line)
	q := traffic.Request{Method: words[0]}
	rest, http := strings.CutPrefix(words[1], "http://")
	if http {
		q.Scheme = "http"
	}
	if words[0] == "grpc" {
		q.GRPC, q.Method = true, "POST"
	}
	i := strings.IndexByte(rest, '/')
	q.Service, q.Path = rest[:i], rest[i:]
	q.Authority = q.Service
	q.Path, q.RawQuery, _ = strings.Cut(q.Path, "?")
	header := naiveHeader{}
	for _, w := range words[2:] {
		name, value, _ := strings.Cut(w, "=")
		header[name] = value
	}
	q.Header = header
	rule := r.table.Match(&q)
	if rule == nil {
		return "-"
	}
	var to []string
	if d := rule.Route.Redirect; d != nil {
		status, location := rule.Location(&q)
		to = append(to, fmt.Sprint(status, " ", location))
	}
	if w := rule.Route.Respond; w != nil {
		to = append(to, fmt.Sprint(w.Status))
	}
	for _, b := range rule.Route.To {
		name := fmt.Sprintf("%s:%d", b.Service, b.Port)
		if b.Respond != nil {
			name = fmt.Sprint(b.Respond.Status)
		}
		if len(rule.Route.To) > 1 {
			name = fmt.Sprintf("%d x %s", b.Weight, name)
		}
		to = append(to, name)
	}
	if rule.Route.Rewrite != nil {
		to = append(to, rule.Route.Rewrite.Authority+rule.RewritePath(q.Path))
	}
	if len(to) == 0 {
		return "-"
	}
	return strings.Join(to, ", ")
}

// routeText is an HTTPRoute for the Service orders, with rules that are indented by two.
func routeText(meta, rules string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {" + meta + "}\nspec:\n" +
		"  parentRefs: [{group: \"\", kind: Service, name: orders}]\n  rules:\n" + rules + "\n---\n"
}

// ruleTo is a rule with a backend and more.
func ruleTo(backend, more string) string {
	return "  - {backendRefs: [{name: " + backend + ", port: 80}], " + more + "}\n"
}

// TestGatewayPrecedence holds the list in HTTPRouteRule.matches, each case with the two matches in the order in which the wrong
// one would win if the list did not say otherwise.
func TestGatewayPrecedence(t *testing.T) {
	for name, c := range map[string]struct{ first, second, call, want string }{
		"exact before prefix":                       {"path: {value: /a/b}", "path: {type: Exact, value: /a/b}", "GET http://orders/a/b", "second"},
		"exact before a longer regular expression":  {"path: {type: RegularExpression, value: /a/b|/c}", "path: {type: Exact, value: /a/b}", "GET http://orders/a/b", "second"},
		"exact before method and headers":           {"path: {value: /a}, method: GET, headers: [{name: x, value: y}]", "path: {type: Exact, value: /a}", "GET http://orders/a x=y", "second"},
		"the longer prefix":                         {"path: {value: /a}", "path: {value: /a/b}", "GET http://orders/a/b/c", "second"},
		"the longer prefix before method":           {"path: {value: /a}, method: GET", "path: {value: /a/b}", "GET http://orders/a/b", "second"},
		"a slash at the end is no character":        {"path: {value: /a}", "path: {value: /a/}", "GET http://orders/a/b", "first"},
		"a prefix before a regular expression":      {"path: {type: RegularExpression, value: /a.*}", "path: {value: /a}", "GET http://orders/a/b", "second"},
		"a regular expression before the root":      {"path: {value: /}", "path: {type: RegularExpression, value: /a.*}", "GET http://orders/a/b", "second"},
		"the longer regular expression":             {"path: {type: RegularExpression, value: /.*}", "path: {type: RegularExpression, value: /a/.*}", "GET http://orders/a/b", "second"},
		"method before headers":                     {"headers: [{name: x, value: y}, {name: z, value: y}]", "method: GET", "GET http://orders/ x=y z=y", "second"},
		"more headers":                              {"headers: [{name: x, value: y}]", "headers: [{name: x, value: y}, {name: z, value: y}]", "GET http://orders/ x=y z=y", "second"},
		"headers before parameters":                 {"queryParams: [{name: p, value: y}, {name: q, value: y}]", "headers: [{name: x, value: y}]", "GET http://orders/?p=y&q=y x=y", "second"},
		"more parameters":                           {"queryParams: [{name: p, value: y}]", "queryParams: [{name: p, value: y}, {name: q, value: y}]", "GET http://orders/?p=y&q=y", "second"},
		"a header of the same name does not count":  {"headers: [{name: x, value: y}]", "headers: [{name: x, value: y}, {name: X, value: n}]", "GET http://orders/ x=y", "first"},
		"the first rule of two alike":               {"method: GET", "method: GET", "GET http://orders/", "first"},
		"the host is a header":                      {"path: {value: /}", "headers: [{name: Host, value: orders}]", "GET http://orders/", "second"},
		"what matches both of one and one of other": {"path: {value: /a}", "path: {value: /b}", "GET http://orders/b", "second"},
		"a prefix is of whole segments":             {"path: {value: /a/}", "path: {value: /}", "GET http://orders/ab", "second"},
		"a prefix is its own path":                  {"path: {value: /a/}", "path: {value: /}", "GET http://orders/a", "first"},
		"a regular expression is of the whole path": {"path: {type: RegularExpression, value: /a}", "path: {value: /}", "GET http://orders/a/b", "second"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := ruleTo("first", "matches: [{"+c.first+"}]") + ruleTo("second", "matches: [{"+c.second+"}]")
			if got := readRoutes(t, routeText("name: r", rules)).send(c.call); got != c.want+":80" {
				t.Errorf("in one route: %s", got)
			}
			two := routeText("name: r", ruleTo("first", "matches: [{"+c.first+"}]")) + routeText("name: s", ruleTo("second", "matches: [{"+c.second+"}]"))
			if got := readRoutes(t, two).send(c.call); got != c.want+":80" {
				t.Errorf("in two routes: %s", got)
			}
		})
	}
}

// TestGatewayAge holds how ties across routes are broken: "the oldest Route based on creation timestamp", then "the Route
// appearing first in alphabetical order by {namespace}/{name}".
func TestGatewayAge(t *testing.T) {
	const old, young = `creationTimestamp: "2024-01-01T00:00:00Z"`, `creationTimestamp: "2025-01-01T00:00:00Z"`
	for name, c := range map[string]struct{ first, second, want string }{
		"the older":                    {"name: a, " + young, "name: b, " + old, "second"},
		"of the same age by name":      {"name: b, " + old, "name: a, " + old, "second"},
		"without an age by name":       {"name: b", "name: a", "second"},
		"without an age is young":      {"name: a", "name: b, " + young, "second"},
		"the order of files is no tie": {"name: a, " + old, "name: b, " + young, "first"},
	} {
		t.Run(name, func(t *testing.T) {
			text := routeText(c.first, ruleTo("first", "")) + routeText(c.second, ruleTo("second", ""))
			if got := readRoutes(t, text).send("GET http://orders/"); got != c.want+":80" {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestGatewayReplacePrefixMatch holds the table in HTTPPathModifier.replacePrefixMatch, for rewrites and redirections.
func TestGatewayReplacePrefixMatch(t *testing.T) {
	for _, c := range [][4]string{
		{"/foo/bar", "/foo", "/xyz", "/xyz/bar"},
		{"/foo/bar", "/foo", "/xyz/", "/xyz/bar"},
		{"/foo/bar", "/foo/", "/xyz", "/xyz/bar"},
		{"/foo/bar", "/foo/", "/xyz/", "/xyz/bar"},
		{"/foo", "/foo", "/xyz", "/xyz"},
		{"/foo/", "/foo", "/xyz", "/xyz/"},
		{"/foo/bar", "/foo", "", "/bar"},
		{"/foo/", "/foo", "", "/"},
		{"/foo", "/foo", "", "/"},
		{"/foo/", "/foo", "/", "/"},
		{"/foo", "/foo", "/", "/"},
		// Beyond the table: the root, and a replacement that does not begin with "/".
		{"/foo", "/", "/xyz", "/xyz/foo"},
		{"/foo/bar", "/foo", "xyz", "/xyz/bar"},
	} {
		path := fmt.Sprintf("path: {type: ReplacePrefixMatch, replacePrefixMatch: %q}}}]", c[2])
		match := fmt.Sprintf("matches: [{path: {value: %s}}], ", c[1])
		rewrite := readRoutes(t, routeText("name: r", ruleTo("b", match+"filters: [{type: URLRewrite, urlRewrite: {"+path)))
		if got := rewrite.send("GET http://orders" + c[0]); got != "b:80, "+c[3] {
			t.Errorf("%q: rewritten to %s", c, got)
		}
		redirect := readRoutes(t, routeText("name: r", "  - {"+match+"filters: [{type: RequestRedirect, requestRedirect: {"+path+"}\n"))
		if got := redirect.send("GET http://orders" + c[0] + "?q=1"); got != "302 http://orders"+c[3]+"?q=1" {
			t.Errorf("%q: redirected to %s", c, got)
		}
	}
}

// TestGatewayRedirect holds what HTTPRequestRedirectFilter says of each field, above all of the port.
func TestGatewayRedirect(t *testing.T) {
	for _, c := range []struct{ filter, call, want string }{
		{"scheme: https", "GET http://orders/a", "302 https://orders/a"},
		{"scheme: https", "GET http://orders:8080/a", "302 https://orders/a"},
		{"scheme: https, port: 8443", "GET http://orders/a", "302 https://orders:8443/a"},
		{"hostname: example.com", "GET http://orders:8080/a", "302 http://example.com:8080/a"},
		{"hostname: example.com, port: 80", "GET http://orders:8080/a", "302 http://example.com/a"},
		{"hostname: example.com, statusCode: 301", "GET http://orders/a?b=c", "301 http://example.com/a?b=c"},
		{"statusCode: 308, path: {type: ReplaceFullPath, replaceFullPath: /x}", "GET http://orders/a?b=c", "308 http://orders/x?b=c"},
		{`path: {type: ReplaceFullPath, replaceFullPath: ""}`, "GET http://orders/a", "302 http://orders/"},
	} {
		rule := "  - {filters: [{type: RequestRedirect, requestRedirect: {" + c.filter + "}}]}\n"
		if got := readRoutes(t, routeText("name: r", rule)).send(c.call); got != c.want {
			t.Errorf("%s: %s: got %s, want %s", c.filter, c.call, got, c.want)
		}
	}
}

// TestGatewayBackends holds what BackendRef.weight and HTTPRouteRule.backendRefs say of shares and of backends that are not
// valid: 500 for their share, and where there is none at all for everything.
func TestGatewayBackends(t *testing.T) {
	const known = "---\napiVersion: v1\nkind: Service\nmetadata: {name: known}\nspec: {ports: [{port: 80}]}\n"
	const rewrite = ", filters: [{type: URLRewrite, urlRewrite: {hostname: x.com}}]"
	for _, c := range []struct{ refs, want string }{
		{"{name: a, port: 80}", "a:80"},
		{"{name: a, port: 80, weight: 7}", "a:80"},
		{"{name: a, port: 80, weight: 0}", "500"},
		{"{name: a, port: 80, weight: 0}, {name: b, port: 80, weight: 0}", "500"},
		{"{name: a, port: 80}, {name: b, port: 80}", "1 x a:80, 1 x b:80"},
		{"{name: a, port: 80}, {name: b, port: 80, weight: 0}", "1 x a:80, 0 x b:80"},
		{"{name: a, port: 80, weight: 3}, {name: a, port: 80}, {name: a, port: 81}", "4 x a:80, 1 x a:81"},
		{"{name: a, port: 80, weight: 0}, {name: a, port: 80}", "a:80"},
		{"", "500"},
		{"{name: known, port: 81}", "500"},
		{"{name: known, port: 81}, {name: known, port: 80}", "1 x known:80, 1 x 500"},
		{"{name: known, port: 81, weight: 2}, {name: known, port: 80, weight: 0}", "500"},
		{"{name: known, port: 81, weight: 0}, {name: known, port: 80}", "known:80"},
		{"{name: a, namespace: other, port: 80}", "a.other:80"},
		{"{name: a, port: 80" + rewrite + "}", "a:80, x.com/"},
		{"{name: a, port: 80" + rewrite + "}, {name: b, port: 80, weight: 0}", "1 x a:80, 0 x b:80, x.com/"},
		{"{name: a, port: 80, filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}", "302 https://orders/"},
	} {
		text := routeText("name: r", "  - {backendRefs: ["+c.refs+"]}\n") + known
		if got := readRoutes(t, text).send("GET http://orders/"); got != c.want {
			t.Errorf("%s: got %s, want %s", c.refs, got, c.want)
		}
		text = strings.NewReplacer("HTTPRoute", "GRPCRoute", "500", "503").Replace(text)
		if strings.Contains(c.refs, "URLRewrite") || strings.Contains(c.refs, "Redirect") {
			continue
		}
		want := strings.ReplaceAll(c.want, "500", "503") // UNAVAILABLE
		if got := readRoutes(t, text).send("grpc orders/p.S/M"); got != want {
			t.Errorf("gRPC: %s: got %s, want %s", c.refs, got, want)
		}
	}
}
