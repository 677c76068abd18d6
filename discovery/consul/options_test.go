package consul

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

// add registers a service with the agent, as Consul's own tools do.
func add(t *testing.T, s *consultest.Server, r api.AgentServiceRegistration) {
	t.Helper()
	if err := s.Client().Agent().ServiceRegister(&r); err != nil {
		t.Fatal(err)
	}
}

// finds checks what a first question is answered with. An empty want is a service that is known and has nobody.
func finds(t *testing.T, cfg Config, name string, want ...discovery.Endpoint) {
	t.Helper()
	w := listen(t, newPlane(t, cfg), name)
	defer w.cancel()
	u := w.next()
	if d := cmp.Diff(want, u.Endpoints); u.Kind != discovery.Set || d != "" {
		t.Errorf("%s: %v %v %s", name, u.Kind, u.Err, d)
	}
}

// at is an endpoint of which nothing else is known.
func at(addr string) discovery.Endpoint { return discovery.Endpoint{Addr: addr, Weight: 1} }

// TestOptions goes through what one server can be asked for in different ways.
func TestOptions(t *testing.T) {
	place := map[string]any{"region": "eu", "zone": "b"}
	s := consultest.Start(t, consultest.Config{Extra: map[string]any{
		"locality": place, "tagged_addresses": map[string]any{"backbone": "10.9.9.9"}}})
	cfg := Config{Address: s.Addr()}
	home := func(addr string) discovery.Endpoint {
		return discovery.Endpoint{Addr: addr, Weight: 1, Region: "eu", Zone: "b"}
	}

	t.Run("warning", func(t *testing.T) {
		status := func(id, status string) {
			if err := s.Client().Agent().UpdateTTL("service:"+id, "", status); err != nil {
				t.Fatal(err)
			}
		}
		for i, w := range []api.AgentWeights{{Passing: 10, Warning: 3}, {Passing: 20, Warning: 5}, {Passing: 30}} {
			add(t, s, api.AgentServiceRegistration{ID: fmt.Sprint("w", i), Name: "w", Address: "10.0.0.1", Port: 1 + i, Weights: &w,
				Check: &api.AgentServiceCheck{TTL: "1h"}})
			status(fmt.Sprint("w", i), "passing")
		}
		strict, lenient := listen(t, newPlane(t, cfg), "w"), listen(t, newPlane(t, Config{Address: s.Addr(), Warning: true}), "w")
		shows := func(l *listener, want string) {
			t.Helper()
			l.until(func(u discovery.Update) bool {
				got := ""
				for _, e := range l.set {
					got += fmt.Sprintf("%s*%d ", e.Addr, e.Weight)
				}
				return u.Kind != discovery.Failed && got == want
			})
		}
		all := "10.0.0.1:1*10 10.0.0.1:2*20 10.0.0.1:3*30 "
		shows(strict, all)
		shows(lenient, all)
		status("w1", "warning")
		shows(strict, "10.0.0.1:1*10 10.0.0.1:3*30 ")
		shows(lenient, "10.0.0.1:1*10 10.0.0.1:2*5 10.0.0.1:3*30 ")
		status("w2", "warning")
		shows(strict, "10.0.0.1:1*10 ")
		shows(lenient, "10.0.0.1:1*10 10.0.0.1:2*5 ")
		status("w0", "critical")
		shows(strict, "")
		shows(lenient, "10.0.0.1:2*5 ")
		status("w1", "passing")
		shows(strict, "10.0.0.1:2*20 ")
		shows(lenient, "10.0.0.1:2*20 ")
		strict.cancel()
		lenient.cancel()
	})

	t.Run("addresses", func(t *testing.T) {
		add(t, s, api.AgentServiceRegistration{Name: "many", Address: "10.0.0.1", Port: 1, TaggedAddresses: map[string]api.ServiceAddress{
			"wan": {Address: "1.2.3.4", Port: 80}, "lan_ipv6": {Address: "fd00::1", Port: 81}, "own": {Address: "5.6.7.8", Port: 82}}})
		add(t, s, api.AgentServiceRegistration{Name: "none", Port: 1})
		add(t, s, api.AgentServiceRegistration{Name: "socket", SocketPath: "/run/orders.sock"})
		for tagged, want := range map[string]struct{ many, none string }{
			"": {"10.0.0.1:1", "127.0.0.1:1"}, "lan": {"10.0.0.1:1", "127.0.0.1:1"}, "wan": {"1.2.3.4:80", "127.0.0.1:1"},
			"lan_ipv6": {"[fd00::1]:81", "127.0.0.1:1"}, "own": {"5.6.7.8:82", "127.0.0.1:1"},
			"backbone": {"10.0.0.1:1", "10.9.9.9:1"}, "other": {"10.0.0.1:1", "127.0.0.1:1"},
		} {
			cfg := Config{Address: s.Addr(), TaggedAddress: tagged}
			finds(t, cfg, "many", home(want.many))
			finds(t, cfg, "none", home(want.none))
			finds(t, cfg, "socket", home("unix:/run/orders.sock"))
		}
	})

	t.Run("locality", func(t *testing.T) {
		add(t, s, api.AgentServiceRegistration{Name: "local", Address: "10.0.0.1", Port: 1, Locality: &api.Locality{Region: "us", Zone: "a"}})
		finds(t, cfg, "local", discovery.Endpoint{Addr: "10.0.0.1:1", Weight: 1, Region: "us", Zone: "a"})
		add(t, s, api.AgentServiceRegistration{Name: "zone", Address: "10.0.0.1", Port: 1, Meta: map[string]string{"locality-zone": "c"}})
		finds(t, cfg, "zone", discovery.Endpoint{Addr: "10.0.0.1:1", Weight: 1, Zone: "c"})
	})
}

// TestSubsets asks for parts of a service, by tags, filters and ports.
func TestSubsets(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	r := record(t, s)
	for i, tags := range [][]string{{"v1", "blue"}, {"v2", "blue"}, {"v2", "green"}} {
		add(t, s, api.AgentServiceRegistration{ID: fmt.Sprint("o", i), Name: "orders", Address: "10.0.0.1", Port: 1 + i, Tags: tags,
			Meta: map[string]string{"team": fmt.Sprint("team", i%2)}})
	}
	add(t, s, api.AgentServiceRegistration{Name: "orders.v3", Address: "10.0.0.9", Port: 9})
	cfg := Config{Address: r.URL, Services: map[string]Query{
		"v2":        {Service: "orders", Tags: []string{"v2"}},
		"v2-green":  {Service: "orders", Tags: []string{"v2", "green"}},
		"v1-green":  {Service: "orders", Tags: []string{"green", "v1"}},
		"team0":     {Service: "orders", Filter: `Service.Meta.team == "team0"`},
		"team0-v2":  {Service: "orders", Filter: `Service.Meta.team == "team0"`, Tags: []string{"v2"}},
		"not-blue":  {Service: "orders", Filter: `"blue" not in Service.Tags`},
		"no-syntax": {Service: "orders", Filter: "Service.Meta.team =="},
		"no-field":  {Service: "orders", Filter: "Service.Colour == blue"},
		"orders.v3": {Service: "orders.v3"},
		"nowhere":   {Service: "nowhere", Tags: []string{"v2"}},
	}}
	p := newPlane(t, cfg)
	for name, want := range map[string][]string{
		"orders": {"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"}, "orders:2": {"10.0.0.1:2"},
		"v2": {"10.0.0.1:2", "10.0.0.1:3"}, "v2:3": {"10.0.0.1:3"}, "v2-green": {"10.0.0.1:3"}, "v1-green": nil,
		"blue.orders.service": {"10.0.0.1:1", "10.0.0.1:2"}, "team0": {"10.0.0.1:1", "10.0.0.1:3"}, "team0:3": {"10.0.0.1:3"},
		"team0-v2": {"10.0.0.1:3"}, "not-blue": {"10.0.0.1:3"}, "orders.v3": {"10.0.0.9:9"}, "nowhere": nil,
	} {
		w := listen(t, p, name)
		u := w.next()
		var got []string
		for _, e := range u.Endpoints {
			got = append(got, e.Addr)
		}
		if d := cmp.Diff(want, got); u.Kind != discovery.Set || d != "" {
			t.Errorf("%s: %v %v %s", name, u.Kind, u.Err, d)
		}
		w.cancel()
	}
	for _, name := range []string{"no-syntax", "no-field"} {
		w := listen(t, p, name)
		if u := w.next(); u.Kind != discovery.Failed || !containsAll(u.Err.Error(), "the filter is none", "expression") {
			t.Errorf("%s: %+v", name, u)
		}
		w.cancel()
	}
	for _, name := range []string{"orders:9", "others"} {
		w := listen(t, p, name)
		if u := w.next(); u.Kind != discovery.Absent {
			t.Errorf("%s: %+v", name, u)
		}
		w.cancel()
	}
	queries := map[string]bool{}
	for _, e := range r.all("/v1/health/service/orders") {
		queries[e.query] = true
	}
	for _, want := range []string{
		"?tag=green&tag=v2&wait=60000ms",
		"?filter=Service.Meta.team+%3D%3D+%22team0%22&tag=v2&wait=60000ms",
		"?filter=%28Service.Meta.team+%3D%3D+%22team0%22%29+and+Service.Port+%3D%3D+3&wait=60000ms",
	} {
		if !queries[want] {
			t.Errorf("nobody asked %s", want)
		}
	}
}

// TestConnect asks for instances that speak Consul's own mutual TLS: native ones and sidecars.
func TestConnect(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	roots, _, err := s.Client().Agent().ConnectCARoots(nil)
	if err != nil {
		t.Fatal(err)
	}
	id := "spiffe://" + roots.TrustDomain + "/ns/default/dc/dc1/svc/"
	in := func(addr, id string) discovery.Endpoint { return discovery.Endpoint{Addr: addr, Weight: 1, ID: id} }
	add(t, s, api.AgentServiceRegistration{Name: "native", Address: "127.0.0.1", Port: 1, Connect: &api.AgentServiceConnect{Native: true}})
	add(t, s, api.AgentServiceRegistration{Name: "other", Address: "127.0.0.1", Port: 2, Connect: &api.AgentServiceConnect{Native: true},
		Meta: map[string]string{"spiffe-id": "spiffe://shop/other"}})
	add(t, s, api.AgentServiceRegistration{Name: "plain", Address: "127.0.0.1", Port: 3})
	add(t, s, api.AgentServiceRegistration{Kind: api.ServiceKindConnectProxy, Name: "plain-proxy", Address: "127.0.0.1", Port: 20003,
		Proxy: &api.AgentServiceConnectProxyConfig{DestinationServiceName: "plain", DestinationServiceID: "plain"}})
	cfg := Config{Address: s.Addr(), Services: map[string]Query{
		"native-mesh": {Service: "native", Connect: true}, "plain-mesh": {Service: "plain", Connect: true}}}
	finds(t, cfg, "native", in("127.0.0.1:1", id+"native"))
	finds(t, cfg, "native-mesh", in("127.0.0.1:1", id+"native"))
	finds(t, cfg, "other", in("127.0.0.1:2", "spiffe://shop/other"))
	finds(t, cfg, "plain", at("127.0.0.1:3"))
	finds(t, cfg, "plain-mesh", in("127.0.0.1:20003", id+"plain"))
	finds(t, cfg, "plain-proxy", in("127.0.0.1:20003", id+"plain"))

	// A server that has lost its data has another trust domain.
	w := listen(t, newPlane(t, cfg), "native")
	w.has("127.0.0.1:1")
	s.Stop()
	w.fails("")
	s.Start()
	add(t, s, api.AgentServiceRegistration{Name: "native", Address: "127.0.0.1", Port: 1, Connect: &api.AgentServiceConnect{Native: true}})
	w.until(func(discovery.Update) bool { return len(w.set) == 1 && w.set[0].ID != id+"native" })
	if roots, _, err := s.Client().Agent().ConnectCARoots(nil); err != nil || w.set[0].ID != "spiffe://"+roots.TrustDomain+"/ns/default/dc/dc1/svc/native" {
		t.Errorf("%v %v, want an ID in %+v", err, w.set, roots)
	}
	w.cancel()
}
