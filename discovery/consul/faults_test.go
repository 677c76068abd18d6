package consul

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

// keeps waits for n endpoints, and fails the test where there is none before.
func (l *listener) keeps(n int) {
	l.t.Helper()
	l.until(func(u discovery.Update) bool {
		if len(l.set) == 0 {
			l.t.Errorf("%v took the endpoints away", u)
		}
		return len(l.set) == n
	})
}

// TestLeaderIsLost kills the leader of three servers: what is known stays, and what changes after it arrives.
func TestLeaderIsLost(t *testing.T) {
	servers := consultest.Cluster(t, 3, consultest.Config{})
	leader := consultest.Leader(servers)
	var other *consultest.Server
	for _, s := range servers {
		if s != leader {
			other = s
		}
	}
	p := newPlane(t, Config{Address: other.Addr(), Stale: true})
	c := &catalog{t: t, api: other.Client()}
	c.set("orders", []discovery.Endpoint{{Addr: "10.0.0.1:80"}})
	w := listen(t, p, "orders")
	w.has("10.0.0.1:80")
	leader.Kill()
	next := consultest.Leader(servers)
	if next == leader {
		t.Fatal("the dead leader leads")
	}
	c.set("orders", []discovery.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "10.0.0.2:80"}})
	w.keeps(2)
}

// TestClusterIsAway stops the only server: the last set holds, also for who comes then, and comes to life again.
func TestClusterIsAway(t *testing.T) {
	s := consultest.Start(t, consultest.Config{Durable: true})
	p := newPlane(t, Config{Address: s.Addr()})
	c := &catalog{t: t, api: s.Client()}
	c.set("orders", []discovery.Endpoint{{Addr: "10.0.0.1:80"}})
	w := listen(t, p, "orders")
	w.has("10.0.0.1:80")
	s.Kill()
	w.fails("")
	late := listen(t, p, "orders")
	late.has("10.0.0.1:80")
	s.Start()
	c.set("orders", []discovery.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "10.0.0.2:80"}})
	for _, l := range []*listener{w, late} {
		l.has("10.0.0.1:80", "10.0.0.2:80")
	}
}

// patient servers do not take an agent for dead that is away for a while, as one is that restarts on a busy machine.
var patient = map[string]any{"gossip_lan": map[string]any{"suspicion_mult": 60}}

// TestAgentForgets restarts a client agent, which takes nobody away, and then takes from it what it knew: its instances are
// there again.
func TestAgentForgets(t *testing.T) {
	server := consultest.Start(t, consultest.Config{Durable: true, Extra: patient})
	agent := consultest.Start(t, consultest.Config{Join: []*consultest.Server{server}})
	p := newPlane(t, Config{Address: agent.Addr()})
	w := listen(t, newPlane(t, Config{Address: server.Addr()}), "orders")
	var leases []discovery.Lease
	open := func(addr string) {
		leases = append(leases, register(t, p, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: addr},
			Checks: []discovery.Check{{TTL: patience}}})) // it does not end while the agent restarts
	}
	open("127.0.0.1:8080")
	w.has("127.0.0.1:8080")
	agent.Restart()
	open("127.0.0.1:8081") // comes to the server with all else that the agent says after its restart
	w.keeps(2)
	agent.Stop()
	agent.Forget()
	// What is registered with it would stay in the catalog until it is back.
	if _, err := server.Client().Catalog().Deregister(&api.CatalogDeregistration{Node: agent.Name()}, nil); err != nil {
		t.Fatal(err)
	}
	w.until(func(u discovery.Update) bool { return u.Kind == discovery.Absent })
	agent.Start()
	w.has("127.0.0.1:8080", "127.0.0.1:8081")
	for _, l := range leases {
		leave(t, l)
	}
}

const management = "11111111-1111-1111-1111-111111111111"

// TestACL works with the rights that the package's documentation asks for and no others, and then without them.
func TestACL(t *testing.T) {
	s := consultest.Start(t, consultest.Config{Token: management})
	root := s.Client()
	made := 0
	token := func(rules string) string {
		made++
		policy, _, err := root.ACL().PolicyCreate(&api.ACLPolicy{Name: fmt.Sprintf("policy-%d", made), Rules: rules}, nil)
		if err != nil {
			t.Fatal(err)
		}
		tok, _, err := root.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLLink{{ID: policy.ID}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return tok.SecretID
	}
	reader := token(`service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`)
	writer := token(`service "orders" { policy = "write" }`)
	blind := token(`key "x" { policy = "read" }`)
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(reader)
	var out logs
	p := newPlane(t, Config{Address: s.Addr(), TokenFile: file, Logger: out.logger()})
	pw := newPlane(t, Config{Address: s.Addr(), Token: writer})
	w := listen(t, p, "orders")
	l := register(t, pw, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"}})
	w.has("127.0.0.1:8080")

	if _, err := newPlane(t, Config{Address: s.Addr(), Token: reader}).Register(t.Context(), discovery.Registration{
		Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:9"}}); err == nil || !strings.Contains(err.Error(), "service:write") {
		t.Errorf("Register without the right returned %v", err)
	}
	for _, c := range []struct{ name, token, words string }{
		{"unknown", "22222222-2222-2222-2222-222222222222", "the token has expired"},
		{"blind", blind, `service "orders" { policy = "read" }`},
		{"none", "", `service "orders" { policy = "read" }`},
	} {
		l := listen(t, newPlane(t, Config{Address: s.Addr(), Token: c.token}), "orders")
		if u := l.next(); u.Kind != discovery.Failed || !strings.Contains(u.Err.Error(), c.words) {
			t.Errorf("%s: %+v", c.name, u)
		}
		l.cancel()
	}

	// The token loses its rights, and is replaced.
	self, _, err := root.ACL().TokenReadSelf(&api.QueryOptions{Token: reader})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.ACL().TokenDelete(self.AccessorID, nil); err != nil {
		t.Fatal(err)
	}
	second := register(t, pw, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8081"}})
	w.fails("the token has expired")
	if len(w.set) == 0 {
		t.Errorf("without its token there is %v", w.set)
	}
	write(blind)
	w.fails(`service "orders" { policy = "read" }`)
	if !strings.Contains(strings.ReplaceAll(out.String(), `\`, ""), `service "orders"`) {
		t.Errorf("the log does not name the right: %s", out.String())
	}
	write(token(`service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`))
	w.has("127.0.0.1:8080", "127.0.0.1:8081")
	leave(t, l)
	leave(t, second)
}

// TestConnectIdentity registers an instance that speaks Consul's own mutual TLS.
func TestConnectIdentity(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	w := listen(t, newPlane(t, Config{Address: s.Addr()}), "native")
	err := s.Client().Agent().ServiceRegister(&api.AgentServiceRegistration{Name: "native", Address: "127.0.0.1", Port: 1,
		Connect: &api.AgentServiceConnect{Native: true}})
	if err != nil {
		t.Fatal(err)
	}
	w.has("127.0.0.1:1")
	roots, _, err := s.Client().Agent().ConnectCARoots(nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "spiffe://" + roots.TrustDomain + "/ns/default/dc/dc1/svc/native"; w.set[0].ID != want {
		t.Errorf("identity %q, want %q", w.set[0].ID, want)
	}
}
