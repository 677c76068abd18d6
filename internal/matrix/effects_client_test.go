package matrix

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
)

// What follows shows what fields do that a single call to a single endpoint cannot show.

// onEachColumn runs f in a world for each column that wires takes.
func onEachColumn(t *testing.T, f func(w *world), wires ...wire) {
	for _, c := range columns {
		for _, wi := range wires {
			if c.wire == wi {
				t.Run(c.name, func(t *testing.T) { inWorld(t, c, f) })
			}
		}
	}
}

// count is the number of requests that a peer got.
func (p *peer) count() int {
	sights, _ := p.saw()
	return len(sights)
}

// TestHosts shows which hosts are the mesh's where a source does not list its names.
func TestHosts(t *testing.T) {
	for _, c := range []struct {
		name  string
		hosts []string
		mesh  bool
	}{
		{"none", nil, false},
		{"this one", []string{"orders"}, true},
		{"another", []string{"stock", ".mesh.internal"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEachColumn(t, func(w *world) {
				mesh, base := w.peer(peerAddr, answers, wrapping{}), w.peer("orders:80", answers, wrapping{})
				cl := w.newClient(client.Config{Discovery: unlisted{orders(peerAddr)}, Hosts: c.hosts})
				w.column.call(marked(), w.meshCaller(cl))
				want := map[bool][]int{true: {1, 0}, false: {0, 1}}[c.mesh]
				if d := cmp.Diff(want, []int{mesh.count(), base.count()}); d != "" {
					t.Errorf("requests at the mesh's endpoint and at the host itself (-want +got):\n%s", d)
				}
			}, h1, h2)
		})
	}
	if _, err := client.New(client.Config{Hosts: []string{"orders"}}); err == nil {
		t.Error("Hosts alone name services that nobody can find, and were not refused")
	}
}

// TestBalance shows that RoundRobin gives each endpoint its turn.
func TestBalance(t *testing.T) {
	onEachColumn(t, func(w *world) {
		addrs := []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"}
		var peers []*peer
		for _, a := range addrs {
			peers = append(peers, w.peer(a, answers, wrapping{}))
		}
		c := w.meshCaller(w.newClient(client.Config{Discovery: orders(addrs...), Balance: balance.RoundRobin}))
		w.column.call(marked(), c)
		synctest.Wait() // gRPC chooses among the connections that are there
		before := []int{peers[0].count(), peers[1].count(), peers[2].count()}
		for range 12 {
			w.column.call(marked(), c)
		}
		for i, p := range peers {
			if n := p.count() - before[i]; n != 4 {
				w.t.Errorf("endpoint %d got %d of 12 calls", i, n)
			}
		}
	}, h1, h2, overGRPC)
}

// late is a source that answers after two seconds.
type late struct{ discovery.Source }

func (l late) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return nil
	}
	return l.Source.Watch(ctx, service, fn)
}

// TestWarmup shows how long a call waits for the registry's first answer.
func TestWarmup(t *testing.T) {
	for _, c := range []struct {
		warmup, took time.Duration
		answered     bool
	}{
		{0, 2 * time.Second, true}, // the default is 5 s
		{3 * time.Second, 2 * time.Second, true},
		{time.Second, time.Second, false},
		{-1, 0, false},
	} {
		t.Run(c.warmup.String(), func(t *testing.T) {
			onEachColumn(t, func(w *world) {
				w.peer(peerAddr, answers, wrapping{})
				cl := w.newClient(client.Config{Discovery: late{orders(peerAddr)}, Hosts: []string{"orders"}, Warmup: c.warmup})
				caller, began := w.meshCaller(cl), time.Now()
				a := w.column.call(marked(), caller)
				if took := time.Since(began); took != c.took {
					w.t.Errorf("the call took %v, want %v", took, c.took)
				}
				if answered := a.Err == "" && a.Code != codes.Unavailable; answered != c.answered {
					w.t.Errorf("got %+v", a)
				}
			}, h1, h2, overGRPC)
		})
	}
}

// TestWarmConns shows how many connections to five endpoints are made before they are needed: for gRPC as many as that, for
// HTTP none. A call may ask for more where its choice is not ready.
func TestWarmConns(t *testing.T) {
	for _, c := range []struct{ conns, ahead, most int }{{0, 5, 5}, {2, 2, 3}, {-1, 0, 5}} {
		onEachColumn(t, func(w *world) {
			addrs := []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80"}
			for _, a := range addrs {
				w.peer(a, answers, wrapping{})
			}
			cl := w.newClient(client.Config{Discovery: orders(addrs...), WarmConns: c.conns})
			caller, ahead, most := w.meshCaller(cl), c.ahead, c.most
			switch {
			case caller.cc == nil:
				ahead, most = 0, 1
			case ahead > 0:
				caller.cc.Connect() // which asks for one at least
			}
			if err := cl.Ready(marked(), "orders"); err != nil {
				w.t.Fatal(err)
			}
			synctest.Wait()
			if n := int(w.conns.Load()); n != ahead {
				w.t.Errorf("WarmConns %d: %d connections before the first call, want %d", c.conns, n, ahead)
			}
			w.column.call(marked(), caller)
			synctest.Wait()
			if n := int(w.conns.Load()); n < max(ahead, 1) || n > most {
				w.t.Errorf("WarmConns %d: %d connections after a call, want %d to %d", c.conns, n, max(ahead, 1), most)
			}
		}, h1, h2, overGRPC)
	}
}
