package consul

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

// TestDatacenters asks the servers of one datacenter about the services of another.
func TestDatacenters(t *testing.T) {
	one := consultest.Start(t, consultest.Config{})
	two := consultest.Start(t, consultest.Config{Datacenter: "dc2", JoinWAN: []*consultest.Server{one}})
	one.Until("dc2 is known", func() bool {
		_, _, err := one.Client().Health().Service("consul", "", false, &api.QueryOptions{Datacenter: "dc2"})
		return err == nil
	})
	add(t, one, api.AgentServiceRegistration{Name: "orders", Address: "10.0.0.1", Port: 1})
	add(t, two, api.AgentServiceRegistration{Name: "orders", Address: "10.0.0.2", Port: 2, Tags: []string{"v2"}, Meta: map[string]string{"v": "2"}})
	add(t, two, api.AgentServiceRegistration{Name: "native", Address: "10.0.0.3", Port: 3, Connect: &api.AgentServiceConnect{Native: true}})
	local := at("10.0.0.1:1")
	remote := discovery.Endpoint{Addr: "10.0.0.2:2", Weight: 1, Metadata: map[string]string{"v": "2", "v2": "true"}}

	r := record(t, one)
	cfg := Config{Address: r.URL, Services: map[string]Query{"far": {Service: "orders", Datacenter: "dc2", Tags: []string{"v2"}}}}
	for name, want := range map[string]discovery.Endpoint{
		"orders": local, "orders.dc1": local, "orders.service.consul": local,
		"orders.dc2": remote, "orders.service.dc2": remote, "orders.service.dc2.consul": remote, "v2.orders.service.dc2": remote,
		"orders.dc2:2": remote, "far": remote,
	} {
		finds(t, cfg, name, want)
		if dc := "dc=dc2"; strings.Contains(r.last(t, "/orders").query, dc) != (want.Addr == remote.Addr) {
			t.Errorf("%s is asked as %s", name, r.last(t, "/orders").query)
		}
	}
	finds(t, Config{Address: one.Addr(), Datacenter: "dc2"}, "orders", remote)
	finds(t, Config{Address: one.Addr(), Datacenter: "dc2"}, "orders.dc1", local)

	// Each datacenter has an authority of its own, and names itself in identities.
	roots, _, err := two.Client().Agent().ConnectCARoots(nil)
	if err != nil {
		t.Fatal(err)
	}
	finds(t, Config{Address: one.Addr()}, "native.dc2", discovery.Endpoint{Addr: "10.0.0.3:3", Weight: 1,
		ID: "spiffe://" + roots.TrustDomain + "/ns/default/dc/dc2/svc/native"})

	w := listen(t, newPlane(t, cfg), "orders.dc9")
	if u := w.next(); u.Kind != discovery.Failed || !strings.Contains(u.Err.Error(), "No path to datacenter") {
		t.Errorf("a datacenter that is not there: %+v", u)
	}
	w.cancel()

	// What is known of the other datacenter holds while it is away. The servers of this one look for it for a while.
	cfg.Wait = time.Second
	w = listen(t, newPlane(t, cfg), "orders.dc2")
	w.has("10.0.0.2:2")
	two.Kill()
	w.fails("")
	if len(w.set) != 1 {
		t.Errorf("while dc2 is away there is %v", w.set)
	}
	w.cancel()
}

// TestNoEnterprise checks what is said of namespaces and partitions where the server has none, and that it is asked for
// them in all that it is asked.
func TestNoEnterprise(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	r := record(t, s)
	for want, cfg := range map[string]Config{
		"ns=team":        {Address: r.URL, Namespace: "team"},
		"partition=part": {Address: r.URL, Partition: "part"},
	} {
		p := newPlane(t, cfg)
		w := listen(t, p, "orders")
		u := w.next()
		w.cancel()
		_, err := p.Register(t.Context(), discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"}})
		for path, err := range map[string]error{"/v1/health/service/orders": u.Err, "/v1/agent/service/register": err} {
			var status api.StatusError
			if !errors.As(err, &status) || status.Code != 400 || !strings.Contains(err.Error(), "no Consul Enterprise: leave Namespace and Partition empty") {
				t.Errorf("%s %s: %v", path, want, err)
			}
			if got := r.last(t, path).query; !strings.Contains(got, want) {
				t.Errorf("%s was asked with %s, want %s", path, got, want)
			}
		}
	}
}
