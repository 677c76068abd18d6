package consul

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

var discardLog = log.New(io.Discard, "", 0)

// wide are all methods: where no instance dies no call fails, whether it could be repeated or not.
var wide = []string{http.MethodGet, http.MethodGet, http.MethodPost}

// passing waits until Consul itself says that n instances of each service pass.
func passing(s *consultest.Server, n int) {
	s.Until(fmt.Sprintf("%d instances pass", n), func() bool {
		for _, name := range []string{"orders", "stock"} {
			all, _, err := s.Client().Health().Service(name, "", true, nil)
			if err != nil || len(all) != n {
				return false
			}
		}
		return true
	})
}

// TestLoad goes through all that can happen to a registry, each under constant load and without a failed call. Consul
// removes a dead instance after a minute and a half; all else happens meanwhile.
func TestLoad(t *testing.T) {
	removed := loadInstanceDies(t)
	t.Run("meanwhile", func(t *testing.T) {
		t.Run("cluster", loadCluster)
		t.Run("bad answers", loadBadAnswers)
		t.Run("rights", loadRights)
		t.Run("agent restarts", loadAgentRestarts)
		t.Run("registry forgets", loadRegistryForgets)
		t.Run("ends", loadEnds)
	})
	removed()
}

// loadAgentRestarts kills the only agent, which comes back with its state, and then without.
func loadAgentRestarts(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t, consultest.Config{Durable: true})
	agent := consultest.Start(t, consultest.Config{Join: []*consultest.Server{server}})
	var out logs
	p := newPlane(t, Config{Address: agent.Addr(), Logger: out.logger()})
	staff(t, newPlane(t, Config{Address: agent.Addr()}))
	passing(agent, 2)
	s := openShop(t, p)
	s.load(wide...)
	for _, forget := range []bool{false, true} {
		since := len(out.String())
		agent.Kill()
		tells(t, &out, since, "does not answer")
		s.more(200)
		if forget {
			agent.Forget()
			// What is registered with it would stay in the catalog until it is back.
			if _, err := server.Client().Catalog().Deregister(&api.CatalogDeregistration{Node: agent.Name()}, nil); err != nil {
				t.Fatal(err)
			}
		}
		agent.Start()
		tells(t, &out, since, "answers again")
		passing(server, 2)
		s.more(200)
	}
	s.close()
}

// loadRegistryForgets kills the only server there is, which comes back knowing nothing.
func loadRegistryForgets(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t, consultest.Config{})
	var out logs
	p := newPlane(t, Config{Address: server.Addr(), Logger: out.logger()})
	staff(t, newPlane(t, Config{Address: server.Addr()}))
	passing(server, 2)
	s := openShop(t, p)
	s.load(wide...)
	server.Kill()
	s.more(200)
	server.Start()
	tells(t, &out, 0, "answers again")
	passing(server, 2)
	s.more(200)
	s.close()
}

// loadCluster kills the leader of three servers, and then all of them, and counts what is asked while they are away.
func loadCluster(t *testing.T) {
	t.Parallel()
	servers := consultest.Cluster(t, 3, consultest.Config{})
	leader := consultest.Leader(servers)
	var others []*consultest.Server
	var homes []*Plane
	for _, s := range servers {
		homes = append(homes, newPlane(t, Config{Address: s.Addr()}))
		if s != leader {
			others = append(others, s)
		}
	}
	door := newTamper(t, others[0].Addr())
	p := newPlane(t, Config{Address: door.addr()})
	staff(t, homes...)
	passing(others[0], 6)
	s := openShop(t, p)
	s.load(wide...)
	w := listen(t, p, "orders")
	w.sees(6)

	leader.Kill()
	if next := consultest.Leader(others); next == leader {
		t.Fatal("the dead leader leads")
	}
	w.sees(4) // Consul takes what was registered with a dead agent for dead
	s.more(200)
	leader.Start()
	w.sees(6)

	away := time.Now()
	for _, c := range servers {
		c.Kill()
	}
	// A second, and 1.6 times as much each time: the sixth question of a service comes after 10 s.
	eventually(t, "twelve questions", func() bool { return len(door.questions(away)) >= 12 })
	if took := time.Since(away); took < 7*time.Second {
		t.Errorf("12 questions about 2 services in %v", took)
	}
	s.more(200)
	consultest.StartAll(servers)
	consultest.Leader(servers)
	passing(others[0], 6)
	back, lease := sell(t, homes[0])
	w.until(func(discovery.Update) bool {
		for _, e := range w.set {
			if e.Addr == back.Listener.Addr().String() {
				return true
			}
		}
		return false
	})
	s.more(200)
	leave(t, lease)
	w.sees(6)
	s.close()
}

// lawful is how many questions about two services may be asked in a time in which Consul did not answer, and then did: 1 s
// after a failure, and 1.6 times as much each time, less 20 %; one that is answered, and one that is held.
func lawful(took time.Duration) int {
	n := 2
	for pause := 800 * time.Millisecond; took >= pause; n++ {
		took -= pause
		pause = min(pause*16/10, 24*time.Second)
	}
	return 2 * n
}

// loadBadAnswers spoils what a real server says, in each way in turn.
func loadBadAnswers(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t, consultest.Config{})
	door := newTamper(t, server.Addr())
	var out logs
	p := newPlane(t, Config{Address: door.addr(), Logger: out.logger()})
	staff(t, newPlane(t, Config{Address: server.Addr()}))
	passing(server, 2)
	s := openShop(t, p)
	s.load(wide...)
	for _, c := range []struct {
		name  string
		spoil http.HandlerFunc
	}{
		{"slow", func(_ http.ResponseWriter, r *http.Request) {
			limit := time.NewTimer(2 * time.Second)
			defer limit.Stop()
			select {
			case <-limit.C:
			case <-r.Context().Done():
			}
			panic(http.ErrAbortHandler)
		}},
		{"truncated", door.through(func(body []byte, h http.Header) []byte {
			h.Set("Content-Length", fmt.Sprint(len(body)))
			return body[:len(body)/2]
		})},
		{"cut off in the middle", door.through(func(body []byte, h http.Header) []byte {
			h.Del("Content-Length")
			return body[:len(body)/2]
		})},
		{"not JSON", door.through(func([]byte, http.Header) []byte { return []byte("<html>sorry</html>") })},
		{"nothing", door.through(func([]byte, http.Header) []byte { return nil })},
		{"error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "rpc error: No cluster leader", 500) }},
		{"foreign", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[]") }},
	} {
		began := time.Now()
		since := len(out.String())
		door.spoiled(c.spoil)
		eventually(t, c.name+" answers", func() bool { return len(door.questions(began)) >= 4 })
		s.more(50)
		door.spoiled(nil)
		tells(t, &out, since, "answers again")
		if n, took := len(door.questions(began)), time.Since(began); n > lawful(took) {
			t.Errorf("%s: %d questions in %v, want %d at most", c.name, n, took, lawful(took))
		}
	}
	// The index goes back, as it does when servers are restored from a copy.
	began := time.Now()
	door.spoiled(door.through(func(body []byte, h http.Header) []byte {
		h.Set("X-Consul-Index", "1")
		return body
	}))
	eventually(t, "low indexes", func() bool { return len(door.questions(began)) >= 4 })
	door.spoiled(nil)
	w := listen(t, p, "orders")
	w.sees(2)
	sell(t, newPlane(t, Config{Address: server.Addr()}))
	w.sees(3)
	s.close()
}

// loadRights takes from the token that watches its rights, and then the token itself, at a server and at an agent, which
// tells less of what it leaves out.
func loadRights(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t, consultest.Config{Durable: true, Token: management})
	agent := consultest.Start(t, consultest.Config{Join: []*consultest.Server{server}, Token: management})
	root := server.Client()
	const rules = `service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`
	policy, _, err := root.ACL().PolicyCreate(&api.ACLPolicy{Name: "reader", Rules: rules}, nil)
	if err != nil {
		t.Fatal(err)
	}
	allow := func(rules string) {
		policy.Rules = rules
		if policy, _, err = root.ACL().PolicyUpdate(policy, nil); err != nil {
			t.Fatal(err)
		}
	}
	token, _, err := root.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLLink{{ID: policy.ID}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(token.SecretID)
	home := newPlane(t, Config{Address: agent.Addr(), Token: management})
	staff(t, home)
	passing(server, 2)
	type view struct {
		out  *logs
		shop *shop
		seen *listener
	}
	var views []view
	for _, addr := range []string{server.Addr(), agent.Addr()} {
		v := view{out: new(logs)}
		p := newPlane(t, Config{Address: addr, TokenFile: file, Logger: v.out.logger(), Wait: 3 * time.Second})
		v.shop, v.seen = openShop(t, p), listen(t, p, "orders")
		v.shop.load(wide...)
		v.seen.sees(2)
		views = append(views, v)
	}
	for _, step := range []struct {
		what, words string
		take        func()
	}{
		{"nodes", `node_prefix "" { policy = "read" }`, func() { allow(`service_prefix "" { policy = "read" }`) }},
		{"services", `service "orders" { policy = "read" }`, func() { allow(`key "x" { policy = "read" }`) }},
		{"token", "the token has expired", func() {
			if _, err := root.ACL().TokenDelete(token.AccessorID, nil); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		step.take()
		for i, v := range views {
			v.seen.fails(step.words)
			if len(v.seen.set) != 2 {
				t.Errorf("%s, view %d: %v", step.what, i, v.seen.set)
			}
			if !strings.Contains(strings.ReplaceAll(v.out.String(), `\`, ""), step.words) {
				t.Errorf("%s, view %d: the log does not name what is missing: %s", step.what, i, v.out.String())
			}
			v.shop.more(50)
		}
	}
	write(management)
	sell(t, home)
	for _, v := range views {
		v.seen.sees(3)
		v.shop.close()
	}
}

// loadInstanceDies kills an instance that says nothing to Consul, and returns what waits until Consul has removed it and ends the load.
func loadInstanceDies(t *testing.T) (removed func()) {
	t.Helper()
	server := consultest.Start(t, consultest.Config{})
	p := newPlane(t, Config{Address: server.Addr()})
	staff(t, newPlane(t, Config{Address: server.Addr()}))
	mortal := newPlane(t, Config{Address: server.Addr()})
	victim, _ := sell(t, mortal, discovery.Check{TTL: 3 * time.Second})
	store(t, newPlane(t, Config{Address: server.Addr()}))
	passing(server, 3)
	s := openShop(t, p)
	s.load(http.MethodGet, http.MethodGet, http.MethodPut)
	w := listen(t, p, "orders")
	w.sees(3)
	victim.Listener.Close()
	victim.CloseClientConnections()
	mortal.Close()
	s.more(200)
	w.sees(2)
	return func() {
		defer s.close()
		if testing.Short() {
			return
		}
		server.Until("Consul has removed it", func() bool {
			all, _, err := server.Client().Catalog().Service("orders", "", nil)
			return err == nil && len(all) == 2
		})
	}
}

// loadEnds believes a Consul that says that there are no instances, and not one that says nothing.
func loadEnds(t *testing.T) {
	t.Parallel()
	server := consultest.Start(t, consultest.Config{})
	door := newTamper(t, server.Addr())
	p, home := newPlane(t, Config{Address: door.addr()}), newPlane(t, Config{Address: server.Addr()})
	_, lease := sell(t, home)
	store(t, home)
	passing(server, 1)
	s := openShop(t, p)
	s.load(wide...)
	w := listen(t, p, "orders")
	w.sees(1)
	door.spoiled(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	w.fails("EOF")
	s.more(100)
	door.spoiled(nil)
	s.close()

	after := openShop(t, p)
	if _, err := after.visit(t.Context(), http.MethodGet); err != nil {
		t.Fatal(err)
	}
	if err := lease.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ErrNoEndpoint", func() bool {
		_, err := after.visit(t.Context(), http.MethodGet)
		return errors.Is(err, discovery.ErrNoEndpoint)
	})
	leave(t, lease)
	eventually(t, "ErrUnknownService", func() bool {
		_, err := after.visit(t.Context(), http.MethodGet)
		return errors.Is(err, discovery.ErrUnknownService)
	})
}
