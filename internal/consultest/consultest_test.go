package consultest_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/internal/consultest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestVersion compares the version with the one that is built.
func TestVersion(t *testing.T) {
	mod, err := os.ReadFile("../consultool/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/hashicorp/consul " + consultest.Version + " "; !strings.Contains(string(mod), want) {
		t.Errorf("internal/consultool does not pin %q", want)
	}
}

// put writes a key. A cluster may elect another leader at any time, so it tries for a while.
func put(t *testing.T, s *consultest.Server) {
	t.Helper()
	s.Until("the key is written", func() bool {
		_, err := s.Client().KV().Put(&api.KVPair{Key: "k", Value: []byte("v")}, nil)
		return err == nil
	})
}

func has(t *testing.T, s *consultest.Server) (found bool) {
	t.Helper()
	s.Until("it says whether the key is there", func() bool {
		pair, _, err := s.Client().KV().Get("k", nil)
		found = pair != nil
		return err == nil
	})
	return found
}

// TestRestart shows what a server keeps: all of it, or nothing in dev mode.
func TestRestart(t *testing.T) {
	for _, durable := range []bool{false, true} {
		s := consultest.Start(t, consultest.Config{Durable: durable})
		put(t, s)
		s.Restart()
		if got := has(t, s); got != durable {
			t.Errorf("durable %t: after a restart the key is there: %t", durable, got)
		}
	}
}

// TestCluster kills the leader of three, which get another, and pauses that one, in whose place another leads.
func TestCluster(t *testing.T) {
	servers := consultest.Cluster(t, 3, consultest.Config{})
	put(t, servers[0])
	first := consultest.Leader(servers)
	first.Kill()
	second := consultest.Leader(servers)
	if first == second {
		t.Fatal("the dead leader leads")
	}
	first.Start()
	if !has(t, first) {
		t.Error("who comes back has lost the key")
	}
	second.Pause()
	others := slices.DeleteFunc(slices.Clone(servers), func(s *consultest.Server) bool { return s == second })
	put(t, consultest.Leader(others))
	second.Resume()
	second.WaitReady()
}

// TestFederation asks a server about the services of another datacenter.
func TestFederation(t *testing.T) {
	a := consultest.Start(t, consultest.Config{})
	b := consultest.Start(t, consultest.Config{Datacenter: "dc2", JoinWAN: []*consultest.Server{a}})
	a.Until("dc2 is known", func() bool {
		all, _, err := a.Client().Catalog().Service("consul", "", &api.QueryOptions{Datacenter: "dc2"})
		return err == nil && len(all) == 1 && all[0].Node == b.Name()
	})
}
