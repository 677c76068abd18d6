package consul

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

// hasty agents look for a server for half a second, and not for 7.
var hasty = map[string]any{"performance": map[string]any{"raft_multiplier": 1, "rpc_hold_timeout": "500ms"}}

// TestStale asks a server that follows, with a leader and without.
func TestStale(t *testing.T) {
	servers := consultest.Cluster(t, 3, consultest.Config{Extra: hasty})
	leader := consultest.Leader(servers)
	var rest []*consultest.Server
	for _, s := range servers {
		if s != leader {
			rest = append(rest, s)
		}
	}
	s := rest[0]
	add(t, s, api.AgentServiceRegistration{Name: "orders", Address: "10.0.0.1", Port: 1})
	r := record(t, s)
	s.Until("it has heard of the instance", func() bool {
		all, _, err := s.Client().Health().Service("orders", "", true, &api.QueryOptions{AllowStale: true})
		return err == nil && len(all) == 1
	})
	plain, stale := Config{Address: r.URL, Wait: time.Second}, Config{Address: r.URL, Wait: time.Second, Stale: true}
	for _, c := range []struct {
		cfg                Config
		query, consistency string
	}{
		{plain, "?wait=1000ms", "leader"},
		{stale, "?stale=&wait=1000ms", "stale"},
	} {
		before := len(r.all("/v1/health/service/orders"))
		finds(t, c.cfg, "orders", at("10.0.0.1:1"))
		if e := r.all("/v1/health/service/orders")[before]; e.query != c.query || e.header.Get("X-Consul-Effective-Consistency") != c.consistency {
			t.Errorf("asked as %s, answered %v; want %s and %s", e.query, e.header, c.query, c.consistency)
		}
	}
	leader.Kill()
	rest[1].Kill()
	s.Until("the leader is missed", func() bool {
		leader, err := s.Client().Status().Leader()
		return err != nil || leader == ""
	})
	finds(t, stale, "orders", at("10.0.0.1:1"))
	w := listen(t, newPlane(t, plain), "orders")
	if u := w.next(); u.Kind != discovery.Failed || !strings.Contains(u.Err.Error(), "No cluster leader") {
		t.Errorf("without a leader: %+v", u)
	}
	w.cancel()
}

// TestCached asks an agent that keeps what its servers said.
func TestCached(t *testing.T) {
	server := consultest.Start(t, consultest.Config{Durable: true})
	agent := consultest.Start(t, consultest.Config{Join: []*consultest.Server{server}, Extra: hasty})
	add(t, agent, api.AgentServiceRegistration{Name: "orders", Address: "10.0.0.1", Port: 1})
	r := record(t, agent)
	server.Until("the servers have heard of the instance", func() bool {
		all, _, err := server.Client().Health().Service("orders", "", true, nil)
		return err == nil && len(all) == 1
	})
	plain, cached := Config{Address: r.URL}, Config{Address: r.URL, Cached: true}
	for _, c := range []struct {
		cfg          Config
		query, cache string
	}{
		{plain, "?wait=60000ms", ""},
		{cached, "?cached=&wait=60000ms", "MISS"},
		{cached, "?cached=&wait=60000ms", "HIT"},
	} {
		finds(t, c.cfg, "orders", at("10.0.0.1:1"))
		var first exchange
		for _, e := range r.all("/v1/health/service/orders") {
			if !strings.Contains(e.query, "index=") {
				first = e
			}
		}
		if first.query != c.query || first.header.Get("X-Cache") != c.cache {
			t.Errorf("asked as %s, answered %v; want %s and %q", first.query, first.header, c.query, c.cache)
		}
	}

	// News reaches it as well.
	w := listen(t, newPlane(t, cached), "orders")
	w.has("10.0.0.1:1")
	add(t, agent, api.AgentServiceRegistration{ID: "second", Name: "orders", Address: "10.0.0.1", Port: 2})
	w.has("10.0.0.1:1", "10.0.0.1:2")
	absent := listen(t, newPlane(t, cached), "nobody")
	if u := absent.next(); u.Kind != discovery.Absent {
		t.Errorf("a service that nobody has: %+v", u)
	}
	absent.cancel()

	// The agent answers a client that begins while its servers are away.
	server.Kill()
	finds(t, cached, "orders", at("10.0.0.1:1"), at("10.0.0.1:2"))
	late := listen(t, newPlane(t, plain), "orders")
	if u := late.next(); u.Kind != discovery.Failed {
		t.Errorf("without servers: %+v", u)
	}
	late.cancel()
	w.cancel()
}
