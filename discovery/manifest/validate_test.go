package manifest

import (
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

// TestPolicyIsLedBack: what package traffic finds is told with its place in the manifests, and routes that can never match are
// taken out, which a client would refuse.
func TestPolicyIsLedBack(t *testing.T) {
	s := parse(t, Config{}, static)
	o := s.Objects[0]
	cfg := Config{}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	fresh := func() *translation { return &translation{cfg: &cfg, state: &State{services: s.services}} }
	path := func(p string) []traffic.Match { return []traffic.Match{{Path: traffic.Exact(p)}} }

	tr := fresh()
	tr.route(o, "spec.ports[0]", traffic.Route{Name: "a", Hosts: []string{"orders"}})
	tr.route(o, "spec.ports[1]", traffic.Route{Name: "b", Hosts: []string{"orders"}, Match: path("/b")})
	tr.route(o, "spec.hosts", traffic.Route{Name: "c", Hosts: []string{"reviews"}, Match: path("/c")})
	tr.validate(nil)
	if err := tr.findings.Err(); err != nil {
		t.Fatal(err)
	}
	want := `a.yaml:11: ServiceEntry/orders: spec.ports[1]: "b": can never match: ServiceEntry/orders spec.ports[0] (a.yaml:10) takes all its requests`
	if len(tr.findings) != 1 || tr.findings[0].Error() != want {
		t.Errorf("found\n%v\nwant\n%s", tr.findings, want)
	}
	if r := tr.state.Policy.Routes; len(r) != 2 || r[1].Name != "c" || tr.state.RouteOrigin(1).Field != "spec.hosts" {
		t.Errorf("left are %+v", r)
	}
	if err := tr.state.Policy.Validate(); err != nil {
		t.Error(err)
	}

	good := tr.state
	for last, same := range map[string]bool{"/c": true, "/d": false} {
		tr = fresh()
		tr.route(o, "spec.ports[0]", traffic.Route{Name: "a", Hosts: []string{"orders"}})
		tr.route(o, "spec.ports[1]", traffic.Route{Name: "b", Hosts: []string{"orders"}, Match: path("/b")})
		tr.route(o, "spec.hosts", traffic.Route{Name: "c", Hosts: []string{"reviews"}, Match: path(last)})
		if got := tr.validate(good); got != same || len(tr.findings) != 1 {
			t.Errorf("with %s: the same as before: %v, want %v; found %v", last, got, same, tr.findings)
		}
	}

	tr = fresh()
	tr.route(o, "spec", traffic.Route{Name: "a", Match: []traffic.Match{{Path: traffic.Regex("(")}}})
	tr.destination(o, "spec.endpoints[0]", traffic.Destination{Service: "orders:80"})
	tr.validate(nil)
	if err := tr.findings.Err(); err == nil || !strings.Contains(err.Error(), "a.yaml:5: ServiceEntry/orders: spec: Match[0].Path") ||
		!strings.Contains(err.Error(), "a.yaml:13: ServiceEntry/orders: spec.endpoints[0]: Service") {
		t.Errorf("found %v", err)
	}
}

// TestDefaults: what ports and location ask for.
func TestDefaults(t *testing.T) {
	s := parse(t, Config{}, entryText(`{hosts: [a.com], resolution: DNS, subjectAltNames: [b.com],
		ports: [{number: 80, name: h, protocol: HTTP}, {number: 443, name: t, protocol: HTTPS}, {number: 90, name: g, protocol: HTTP2}]}`))
	table, err := traffic.Compile(s.Policy, traffic.Local{})
	if err != nil {
		t.Fatal(err)
	}
	for service, want := range map[string]struct {
		mode  traffic.TLSMode
		http2 bool
	}{
		"a.com": {traffic.TLSDisable, false}, "a.com:80": {traffic.TLSDisable, false},
		"a.com:443": {traffic.TLSSimple, false}, "a.com:90": {traffic.TLSDisable, true},
	} {
		settings, err := table.Settings(service, "")
		if err != nil {
			t.Fatal(err)
		}
		http2 := settings.Connections != nil && settings.Connections.HTTP2 != nil && *settings.Connections.HTTP2
		if settings.TLS.Mode != want.mode || http2 != want.http2 {
			t.Errorf("%s: TLS %s, HTTP/2 %t", service, settings.TLS.Mode, http2)
		}
	}
	for scheme, want := range map[string]string{"http": "a.com", "https": "a.com:443"} {
		called := "a.com"
		if r := table.Match(&traffic.Request{Service: called, Scheme: scheme, Path: "/", Method: "GET"}); r != nil {
			called = r.Choose(&traffic.Request{}, 0).Service(called)
		}
		if called != want {
			t.Errorf("%s://a.com/ goes to %s", scheme, called)
		}
	}
}
