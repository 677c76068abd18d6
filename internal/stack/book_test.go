package stack

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// closed is a slot that counts how often it was told to give back what is idle.
type closed struct{ n atomic.Int32 }

func (c *closed) Close() error { c.n.Add(1); return nil }

func fleet(n int) []discovery.Endpoint {
	eps := make([]discovery.Endpoint, n)
	for i := range eps {
		eps[i].Addr = fmt.Sprintf("10.%d.%d.%d:80", i>>16&255, i>>8&255, i&255)
	}
	return eps
}

// silent is a source that says nothing: the tests speak for it.
type silent struct{}

func (silent) Watch(ctx context.Context, _ string, _ func(discovery.Update)) error {
	<-ctx.Done()
	return nil
}

func quiet(t testing.TB, src discovery.Source) *Client {
	t.Helper()
	s := NewClient(Config{Discovery: src, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(s.Close)
	return s
}

// bookOf is a destination's book, of which nobody else knows.
func bookOf(t testing.TB) (*book, *Destination) { //nolint:gocritic // two views of one thing
	t.Helper()
	d := quiet(t, silent{}).Destination("orders", time.Now())
	return &d.book, d
}

// TestFlappingKeepsLoad: what leaves and comes back soon is the same node, with its calls in flight and its failures.
func TestFlappingKeepsLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := bookOf(t)
		one := discovery.Endpoint{Addr: "a:80", ID: "spiffe://shop/a"}
		b.set([]discovery.Endpoint{one})
		n := b.nodes[0]
		slot := Slot(n, "wire", func(*Node) *closed { return &closed{} })
		n.Load.Begin()
		n.Load.Fail()
		b.set(nil)
		if !n.Retired() || slot.n.Load() != 1 || len(b.nodes) != 0 {
			t.Errorf("left: retired %v, closed %d times", n.Retired(), slot.n.Load())
		}
		one.Weight = 7
		b.diff([]discovery.Endpoint{one}, nil)
		if b.nodes[0] != n || n.Retired() || n.Load.InFlight() != 1 || n.Load.Penalty() == 0 || n.Load.Share() != 7 {
			t.Error("it came back as another, or unchanged")
		}
		// In use it is remembered for as long as it takes, idle for keepRetired.
		b.set(nil)
		time.Sleep(2 * keepRetired) // in the bubble's time
		b.set(nil)
		if b.retired["a:80"] != n {
			t.Error("forgotten while in use")
		}
		before := slot.n.Load()
		n.left()
		b.set(nil)
		if len(b.retired) != 0 {
			t.Error("remembered for ever")
		}
		if slot.n.Load() == before {
			t.Error("the last call left a connection")
		}
	})
}

// TestIdentityMakesTheEndpoint: another identity at the same address shares nothing with the one before.
func TestIdentityMakesTheEndpoint(t *testing.T) {
	for name, change := range map[string]func(b *book, e discovery.Endpoint){
		"by a set":        func(b *book, e discovery.Endpoint) { b.set([]discovery.Endpoint{e}) },
		"by a diff":       func(b *book, e discovery.Endpoint) { b.diff([]discovery.Endpoint{e}, nil) },
		"after a removal": func(b *book, e discovery.Endpoint) { b.set(nil); b.diff([]discovery.Endpoint{e}, nil) },
	} {
		b, _ := bookOf(t)
		b.set([]discovery.Endpoint{{Addr: "a:80", ID: "spiffe://shop/a"}})
		n := b.nodes[0]
		slot := Slot(n, "wire", func(*Node) *closed { return &closed{} })
		change(b, discovery.Endpoint{Addr: "a:80", ID: "spiffe://shop/b"})
		if len(b.nodes) != 1 || b.nodes[0] == n || !n.Retired() || slot.n.Load() == 0 || b.nodes[0].Retired() {
			t.Errorf("%s: the old node serves the new identity", name)
		}
	}
}

// TestReadersKeepTheirList: a change works on a copy.
func TestReadersKeepTheirList(t *testing.T) {
	b, d := bookOf(t)
	d.update(t.Context(), discovery.Update{Kind: discovery.Set, Endpoints: fleet(4)})
	old := d.Endpoints()
	first := old.Nodes[0]
	b.diff([]discovery.Endpoint{{Addr: "new:80"}}, []string{old.Nodes[0].Addr(), "nobody:80"})
	if len(old.Nodes) != 4 || old.Nodes[0] != first {
		t.Error("a reader's list was changed")
	}
	if len(b.nodes) != 4 || len(b.places) != 4 {
		t.Errorf("%d nodes, %d places", len(b.nodes), len(b.places))
	}
	for addr, i := range b.places {
		if b.nodes[i].Addr() != addr {
			t.Errorf("%s is at the place of %s", addr, b.nodes[i].Addr())
		}
	}
}

// TestIdleAMomentLater: a connection whose last call ended just before the endpoint left is idle for its transport a
// little after.
func TestIdleAMomentLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := bookOf(t)
		b.set([]discovery.Endpoint{{Addr: "a:80"}})
		slot := Slot(b.nodes[0], "wire", func(*Node) *closed { return &closed{} })
		b.set(nil)
		before := slot.n.Load()
		time.Sleep(linger)
		synctest.Wait()
		if slot.n.Load() == before {
			t.Error("nobody looked again")
		}
	})
}

// TestSlotBuiltAfterRetirement gives its idle things back at once.
func TestSlotBuiltAfterRetirement(t *testing.T) {
	b, _ := bookOf(t)
	b.set([]discovery.Endpoint{{Addr: "a:80"}})
	n := b.nodes[0]
	n.retire()
	if s := Slot(n, "wire", func(*Node) *closed { return &closed{} }); s.n.Load() != 1 {
		t.Errorf("closed %d times", s.n.Load())
	}
}

// TestHurriedAttempts do not weigh on an endpoint that was given less time than it usually takes.
func TestHurriedAttempts(t *testing.T) {
	b, _ := bookOf(t)
	b.set([]discovery.Endpoint{{Addr: "a:80"}})
	n := b.nodes[0]
	n.Judge(call.Success, &call.Attempt{Took: time.Second})
	late := call.Attempt{Took: time.Second / 2, Outcome: call.Outcome{Err: context.DeadlineExceeded, Code: call.DeadlineExceeded}}
	if n.Judge(call.Failure, &late); n.Load.Penalty() != 0 {
		t.Error("a hurried attempt counts")
	}
	n.Judge(call.Canceled, &call.Attempt{})
	if n.Load.Penalty() != 0 {
		t.Error("a cancelled attempt counts")
	}
	late.Took = 2 * time.Second
	if n.Judge(call.Failure, &late); n.Load.Penalty() == 0 {
		t.Error("a late attempt does not count")
	}
}

// TestTheExcuseLapses: an endpoint that was slow once and hangs from then on is not excused for ever.
func TestTheExcuseLapses(t *testing.T) {
	b, _ := bookOf(t)
	b.set([]discovery.Endpoint{{Addr: "a:80"}})
	n := b.nodes[0]
	n.Judge(call.Success, &call.Attempt{Took: 10 * time.Second})
	late := call.Attempt{Took: time.Second, Outcome: call.Outcome{Err: context.DeadlineExceeded, Code: call.DeadlineExceeded}}
	excused := 0
	for ; n.Load.Penalty() == 0; excused++ {
		if excused > 100 {
			t.Fatal("excused for ever")
		}
		n.Judge(call.Failure, &late)
	}
	if excused < 2 {
		t.Errorf("excused %d times: no more than a slow moment's worth", excused)
	}
}

// TestIdleDestinationsAreDropped, with their watch; those that are pinned or in use are not.
func TestIdleDestinationsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := quiet(t, silent{})
		idle, used, pinned := s.Destination("idle", time.Now()), s.Destination("used", time.Now()), s.Destination("pinned", time.Now())
		pinned.Pin()
		for range 4 {
			time.Sleep(idleAfter / 3) // in the bubble's time
			s.Destination("used", time.Now())
		}
		s.Destination("another", time.Now())
		count := 0
		s.each(func(*Destination) { count++ })
		if count != 3 {
			t.Errorf("%d destinations are left", count)
		}
		if s.Destination("used", time.Now()) != used || s.Destination("pinned", time.Now()) != pinned {
			t.Error("one that is needed was dropped")
		}
		if s.Destination("idle", time.Now()) == idle {
			t.Error("one that is idle was kept")
		}
	})
}

// TestPolicyReachesDestinationsBeingAdded: however the two meet, the last policy holds.
func TestPolicyReachesDestinationsBeingAdded(t *testing.T) {
	s := quiet(t, nil)
	on := resilience.Config{Default: resilience.Standard()}
	for i := range 200 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.SetResilience(on)
		}()
		d := s.Direct(fmt.Sprint(i), time.Now())
		<-done
		if d.regime.Load().exec.Retries() == 0 {
			t.Fatal("a destination has the old policy")
		}
		s.SetResilience(resilience.Config{})
	}
}

// BenchmarkOneChangeOfTenThousand is what DESIGN section 8 allows 1 ms for.
func BenchmarkOneChangeOfTenThousand(b *testing.B) {
	for name, update := range map[string]func(eps []discovery.Endpoint, i int) discovery.Update{
		"diff": func(eps []discovery.Endpoint, i int) discovery.Update {
			e := eps[i%len(eps)]
			e.Zone = fmt.Sprint(i)
			return discovery.Update{Kind: discovery.Diff, Endpoints: []discovery.Endpoint{e}}
		},
		"join and leave": func(_ []discovery.Endpoint, i int) discovery.Update {
			return discovery.Update{
				Kind: discovery.Diff, Endpoints: []discovery.Endpoint{{Addr: fmt.Sprintf("n%d:80", i)}}, Removed: []string{fmt.Sprintf("n%d:80", i-1)},
			}
		},
		"set": func(eps []discovery.Endpoint, i int) discovery.Update {
			eps[i%len(eps)].Zone = fmt.Sprint(i)
			return discovery.Update{Kind: discovery.Set, Endpoints: eps}
		},
	} {
		b.Run(name, func(b *testing.B) {
			_, d := bookOf(b)
			eps := fleet(10_000)
			d.update(b.Context(), discovery.Update{Kind: discovery.Set, Endpoints: eps})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				d.update(b.Context(), update(eps, i))
			}
			if n := len(d.Endpoints().Nodes); n < 10_000 {
				b.Fatal(n)
			}
		})
	}
}
