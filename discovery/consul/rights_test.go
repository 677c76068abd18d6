package consul

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

// policy makes a token that has these rights and no others.
func policy(t *testing.T, s *consultest.Server, name, rules string) string {
	t.Helper()
	root := s.Client().ACL()
	p, _, err := root.PolicyCreate(&api.ACLPolicy{Name: name, Rules: rules}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := root.TokenCreate(&api.ACLToken{Policies: []*api.ACLLink{{ID: p.ID}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return token.SecretID
}

// documented are the policies in the package's documentation, in their order.
func documented(t *testing.T) (finds, registers string) {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)^//\t(\w+ +"\w*" +\{ policy = "\w+" \})$`).FindAllStringSubmatch(string(doc), -1)
	if len(rules) != 3 {
		t.Fatalf("%d rules are documented, want two of who finds and one of who registers: %q", len(rules), rules)
	}
	return rules[0][1] + "\n" + rules[1][1], rules[2][1]
}

// TestRights does everything with the rights that are documented, and then without each of them.
func TestRights(t *testing.T) {
	s := consultest.Start(t, consultest.Config{Token: management})
	findRules, registerRules := documented(t)
	finder, registrar := policy(t, s, "finder", findRules), policy(t, s, "registrar", registerRules)
	with := func(token string) *Plane { return newPlane(t, Config{Address: s.Addr(), Token: token}) }
	var ready atomic.Bool
	ready.Store(true)
	here := discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"}, Ready: ready.Load}

	// Who registers needs no more for any part of an instance's life, also where no check is a TTL.
	checked := discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8081"},
		Checks: []discovery.Check{{TCP: s.Addr()}}}
	w := listen(t, with(finder), "orders")
	first, second := register(t, with(registrar), here), register(t, with(registrar), checked)
	w.has("127.0.0.1:8080", "127.0.0.1:8081")
	ready.Store(false) // a TTL check is told
	w.has("127.0.0.1:8081")
	p := with(registrar) // an instance without one is looked for
	if _, _, err := p.api.Agent().Service("orders-127.0.0.1:8081", p.options(t.Context())); err != nil {
		t.Error(err)
	}
	for _, l := range []discovery.Lease{first, second} {
		if err := l.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
	w.has()
	leave(t, first)
	leave(t, second)
	w.until(func(u discovery.Update) bool { return u.Kind == discovery.Absent })
	w.cancel()

	// Who finds needs no more to be told whom to expect in Consul's own mesh.
	native := &api.AgentServiceRegistration{Name: "native", Address: "127.0.0.1", Port: 1, Connect: &api.AgentServiceConnect{Native: true}}
	if err := s.Client().Agent().ServiceRegister(native); err != nil {
		t.Fatal(err)
	}
	w = listen(t, with(finder), "native")
	w.has("127.0.0.1:1")
	if w.set[0].ID == "" {
		t.Error("the identity is not told")
	}
	w.cancel()

	// One rule less, and narrower ones.
	ready.Store(true)
	first = register(t, with(registrar), here)
	defer leave(t, first)
	for i, c := range []struct{ rules, missing string }{
		{rules: `service "orders" { policy = "read" } node_prefix "" { policy = "read" }`},
		{rules: fmt.Sprintf(`service "orders" { policy = "read" } node %q { policy = "read" }`, s.Name())},
		{rules: `service_prefix "" { policy = "read" }`, missing: `node_prefix "" { policy = "read" }`},
		{rules: `node_prefix "" { policy = "read" }`, missing: `service "orders" { policy = "read" }`},
		{rules: `service "other" { policy = "read" } node_prefix "" { policy = "read" }`, missing: `service "orders" { policy = "read" }`},
		{rules: registerRules, missing: `node_prefix "" { policy = "read" }`},
	} {
		w := listen(t, with(policy(t, s, fmt.Sprint("finder-", i), c.rules)), "orders")
		switch u := w.next(); {
		case c.missing == "" && (u.Kind != discovery.Set || len(u.Endpoints) != 1):
			t.Errorf("%s: %+v", c.rules, u)
		case c.missing != "" && (u.Kind != discovery.Failed || !strings.Contains(u.Err.Error(), c.missing)):
			t.Errorf("%s: %+v, want an error that names %s", c.rules, u, c.missing)
		}
		w.cancel()
	}
	for name, token := range map[string]string{"finder": finder, "none": "", "other": policy(t, s, "other", `service "other" { policy = "write" }`)} {
		_, err := with(token).Register(t.Context(), here)
		var status api.StatusError
		if !errors.As(err, &status) || status.Code != 403 || !strings.Contains(err.Error(), `lacks permission 'service:write' on "orders"`) {
			t.Errorf("%s: Register returned %v", name, err)
		}
	}
}
