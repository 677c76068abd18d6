package clientgrpc

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/meshtls"
)

func taking(t testing.TB, most int64) *conn {
	t.Helper()
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": {{Addr: "a:1"}}}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	g := newGroup(&lb{wake: make(chan struct{}, 1)}, c.Core().Destination("orders", time.Now()))
	cn := &conn{group: g}
	cn.terms.Store(&terms{of: meshtls.Basis{}, idle: time.Duration(most), most: most, worn: most})
	cn.state.Store(uint32(connectivity.Ready))
	return cn
}

// BenchmarkUse is what is asked of a connection for each call: without bounds, and with bounds on calls and idleness.
func BenchmarkUse(b *testing.B) {
	for name, most := range map[string]int64{"unbounded": 0, "bounded": 1 << 60} {
		b.Run(name, func(b *testing.B) {
			c := taking(b, most)
			for b.Loop() {
				if !c.usable() {
					b.Fatal("it is not usable")
				}
				if _, counted := c.take(); counted {
					c.leave(0)
				}
			}
		})
	}
}

// A connection that is being made gets no call, even if it is ready before that is known here, and one that is made again
// carries as many calls as the first, less those of before that may still come.
func TestTakeAnew(t *testing.T) {
	cn := taking(t, 3)
	give := func(want int) {
		t.Helper()
		n := 0
		for range 5 {
			if ok, _ := cn.take(); ok {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d calls, want %d", cn.State(), n, want)
		}
	}
	give(3)
	cn.leave(0)
	cn.leave(0)
	cn.changed(balancer.SubConnState{ConnectivityState: connectivity.Idle})
	give(0)
	cn.anew()
	cn.state.Store(uint32(connectivity.Connecting))
	give(0)
	cn.changed(balancer.SubConnState{ConnectivityState: connectivity.Ready})
	give(2)
}

// However many choose a connection at the same moment, it gets no more calls than it may carry.
func TestTake(t *testing.T) {
	const most = 1000
	cn := taking(t, most)
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range most {
				if ok, _ := cn.take(); ok {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if taken.Load() != most || cn.calls.Load() != most || cn.usable() {
		t.Errorf("%d calls, %d under way, of %d; usable: %t", taken.Load(), cn.calls.Load(), most, cn.usable())
	}
}
