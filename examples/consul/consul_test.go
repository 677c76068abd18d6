package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/examples/internal/shoptest"
	"github.com/intramesh/intramesh/internal/consultest"
)

func TestMain(m *testing.M) { os.Exit(shoptest.Main(m)) }

// start begins a run that finds no Consul but the one of the tests. It skips the test where there is none.
func start(t *testing.T, args ...string) *shoptest.Run {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(consultest.Binary(t), filepath.Join(dir, "consul")); err != nil {
		t.Fatal(err)
	}
	return shoptest.Start(t, []string{addrEnv + "=", "PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH")}, args...)
}

func TestConsul(t *testing.T) {
	r := start(t, "-for", "15s")
	lines, err := r.Rest(t)
	out := strings.Join(lines, "\n")
	t.Log("\n" + out)
	if err != nil {
		t.Errorf("exit: %v", err)
	}
	if requests, degraded, retries := shoptest.Ok(t, out); requests < 500 || degraded > 0 || retries < 1 {
		t.Errorf("want at least 500 requests, no page without reviews, and retries")
	}
	shoptest.InOrder(t, out, shoptest.Lines(new(show).script())...)
	shoptest.InOrder(t, out, "Consul has a leader", "inventory-4 got", "inventory-5 got", "left and ended", "off the list",
		"inventory-2, orders-2, payments-2, reviews-2 registered again", "led after", "then inventory-6 registered",
		"the old leader followed the new one")
	r.LeavesNothing(t)
}

// A Consul that is there already is used, and left as it was: its agent removes who was killed.
func TestGiven(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	for _, args := range [][]string{{"-for", "3s", "-consul", s.Addr()}, {"-for", "3s"}} {
		r := shoptest.Start(t, []string{addrEnv + "=" + s.Addr()}, args...)
		lines, err := r.Rest(t)
		out := strings.Join(lines, "\n")
		t.Log("\n" + out)
		if err != nil {
			t.Errorf("exit: %v", err)
		}
		shoptest.Ok(t, out)
		shoptest.InOrder(t, out, shoptest.Lines((&show{given: s.Addr()}).script())...)
		if strings.Contains(out, "leader of the three") {
			t.Error("the leader of a Consul that is not ours was killed")
		}
		r.LeavesNothing(t)
		all, err := s.Client().Agent().ServicesWithFilter(`Service matches "^shop-"`)
		if err != nil {
			t.Fatal(err)
		}
		for id, e := range all {
			if e.Service != "shop-inventory" {
				t.Errorf("%s is still registered", id)
			}
			if err := s.Client().Agent().ServiceDeregister(id); err != nil {
				t.Fatal(err)
			}
		}
		if len(all) > 1 { // none where the run has taken so long that its agent has removed it already
			t.Errorf("%d instances are still registered, want the one that was killed at most", len(all))
		}
	}
}

// Without a Consul and without a go command to build one it says so, and leaves nothing.
func TestNoConsul(t *testing.T) {
	shoptest.Start(t, []string{addrEnv + "=", "PATH=" + t.TempDir()}).Fails(t, "no Consul in PATH")
}

// A Consul that is not there is said at once.
func TestGivenNothing(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:1", "ftp://x"} {
		shoptest.Start(t, nil, "-consul", addr).Fails(t, "no Consul at "+addr)
	}
}

// Ctrl-C ends a run without an end.
func TestInterrupt(t *testing.T) { start(t, "-for", "0").Interrupt(t, "inventory is scaled up") }

// The death of the parent ends all processes, Consul's too, which would otherwise make their folders again.
func TestParentKilled(t *testing.T) { start(t, "-for", "0").Kill(t, "open:") }

func TestArguments(t *testing.T) { shoptest.Arguments(t) }

// The README shows a run of 30 s.
func TestReadme(t *testing.T) { shoptest.Readme(t, new(show).script()) }
