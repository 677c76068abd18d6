package consul

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
)

// TestTokenRotation replaces a token while services are watched and registered with it, as Vault does: the new one is in
// the file before the old one ends.
func TestTokenRotation(t *testing.T) {
	s := consultest.Start(t, consultest.Config{Token: management})
	r := record(t, s)
	const rules = `service "orders" { policy = "write" } node_prefix "" { policy = "read" }`
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := policy(t, s, "old", rules)
	write(old)
	var out logs
	p := newPlane(t, Config{Address: r.URL, TokenFile: file, Logger: out.logger(), Wait: time.Second})
	var ready atomic.Bool
	ready.Store(true)
	w := listen(t, p, "orders")
	l := register(t, p, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"},
		Checks: []discovery.Check{{TTL: 3 * time.Second}}, Ready: ready.Load})
	w.has("127.0.0.1:8080")

	next := policy(t, s, "new", rules)
	write(next)
	s.Until("the new token is used for everything", func() bool {
		return r.last(t, "/v1/health/service/orders").token == next && r.last(t, "/v1/agent/").token == next
	})
	self, _, err := s.Client().ACL().TokenReadSelf(&api.QueryOptions{Token: old})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client().ACL().TokenDelete(self.AccessorID, nil); err != nil {
		t.Fatal(err)
	}

	// The agent tells its servers of an instance with the token that registered it.
	ready.Store(false)
	w.has()
	ready.Store(true)
	w.has("127.0.0.1:8080")
	leave(t, l)
	w.until(func(u discovery.Update) bool { return u.Kind == discovery.Absent })
	w.cancel()
	if got := out.String(); got != "" {
		t.Errorf("logged: %s", got)
	}
}
