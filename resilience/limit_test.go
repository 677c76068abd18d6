package resilience

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

func limited(t testing.TB, l Limit) *Executor {
	t.Helper()
	e, err := New(Policy{Limit: &l})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// enter admits a call that needs a connection of its own.
func (e *Executor) enter(ctx context.Context) (Place, error) { return e.Admit(ctx, time.Time{}, true) }

// empty fails where something is still counted.
func (e *Executor) empty(t *testing.T) {
	t.Helper()
	if u := e.Usage(); u != (Usage{}) || e.gate.line.first != nil || e.gate.line.last != nil {
		t.Errorf("left over: %+v", u)
	}
}

// TestLimitValidate: what cannot be honoured is refused by the name of its field.
func TestLimitValidate(t *testing.T) {
	for _, tt := range []struct {
		l    Limit
		want string // empty: it is fine
	}{
		{Limit{}, ""}, {Limit{Pending: -1, Retries: -1}, ""}, {Limit{1 << 30, 1 << 30, 1 << 30, 1 << 30}, ""},
		{Limit{Connections: -1}, "Connections"}, {Limit{Connections: 1<<30 + 1}, "Connections"}, {Limit{Pending: 1<<30 + 1}, "Pending"},
		{Limit{Requests: -1}, "Requests"}, {Limit{Requests: 1<<30 + 1}, "Requests"}, {Limit{Retries: 1<<30 + 1}, "Retries"},
	} {
		err := Config{Default: Policy{Limit: &tt.l}}.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), "Default.Limit."+tt.want+":") {
			t.Errorf("%+v: %v", tt.l, err)
		}
	}
	if got := (Limit{Connections: 1}).OrDefault(); got != (Limit{Connections: 1, Pending: 1024}) {
		t.Errorf("%+v", got)
	}
}

// TestRequests: one more than permitted is refused at once, also after a change of policy, and none when one has left.
func TestRequests(t *testing.T) {
	ctx := t.Context()
	e := limited(t, Limit{Requests: 2})
	a, _ := e.Admit(ctx, time.Time{}, false)
	if _, err := e.enter(ctx); err != nil {
		t.Fatal(err)
	}
	refused := func(e *Executor) {
		t.Helper()
		if _, err := e.Admit(ctx, time.Time{}, false); !errors.Is(err, ErrLimited) || !strings.Contains(err.Error(), "Limit.Requests") {
			t.Fatalf("%v", err)
		}
	}
	refused(e)
	other, _ := e.With(Policy{Limit: &Limit{Requests: 2}, Retry: &Retry{}})
	refused(other)
	if u := other.Usage(); u != (Usage{Requests: 2}) {
		t.Errorf("%+v", u)
	}
	off, _ := other.With(Policy{})
	if p, err := off.enter(ctx); err != nil || p != 0 {
		t.Error(p, err)
	}
	on, _ := off.With(Policy{Limit: &Limit{Requests: 2}})
	refused(on)
	e.Leave(a)
	if _, err := on.enter(ctx); err != nil {
		t.Error(err)
	}
	refused(on)
}

// TestInLine: in the order in which they came, as many as may wait, and each when one has left.
func TestInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := limited(t, Limit{Connections: 1, Pending: 3})
		p, _ := e.enter(t.Context())
		order := make(chan int, 3)
		for i := range 3 {
			go func() {
				p, err := e.enter(t.Context())
				order <- i
				if err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
				e.Leave(p)
			}()
			synctest.Wait()
		}
		if _, err := e.enter(t.Context()); !errors.Is(err, ErrLimited) || !strings.Contains(err.Error(), "Limit.Pending") {
			t.Error(err)
		}
		if shared, err := e.Admit(t.Context(), time.Time{}, false); err != nil { // it needs no connection
			t.Error(err)
		} else {
			e.Leave(shared)
		}
		began := time.Now()
		e.Leave(p)
		for want := range 3 {
			if i := <-order; i != want || time.Since(began) != time.Duration(want)*time.Second {
				t.Errorf("%d after %v", i, time.Since(began))
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		e.empty(t)
	})
}

// TestNobodyWaits: with no place to wait one is refused at once.
func TestNobodyWaits(t *testing.T) {
	e := limited(t, Limit{Connections: 1, Pending: -1})
	if _, err := e.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.enter(t.Context()); !errors.Is(err, ErrLimited) {
		t.Error(err)
	}
}

// TestWaitEnds: by the context or by its time, and the place in line goes to the next.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := limited(t, Limit{Connections: 1, Pending: 2})
		p, _ := e.enter(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := e.enter(ctx); err != context.Canceled { //nolint:errorlint // the very value
			t.Error(err)
		}
		began := time.Now()
		for _, by := range []time.Duration{-time.Hour, 0, time.Second} {
			if _, err := e.Admit(t.Context(), time.Now().Add(by), true); err != context.DeadlineExceeded { //nolint:errorlint // likewise
				t.Error(err)
			}
		}
		if d := time.Since(began); d != time.Second+2 {
			t.Error(d)
		}
		e.Leave(p)
		e.empty(t)
	})
}

// TestGovern: who waits is bound by the policy in force; without limits nobody waits any more.
func TestGovern(t *testing.T) {
	for _, tt := range []struct {
		name string
		next Policy
		want int
	}{
		{"more", Policy{Limit: &Limit{Connections: 3}}, 2},
		{"fewer", Policy{Limit: &Limit{Connections: 1}}, 0},
		{"connections without a bound", Policy{Limit: &Limit{Requests: 100}}, 5},
		{"none", Policy{}, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := limited(t, Limit{Connections: 1})
				p, _ := e.enter(t.Context())
				var mu sync.Mutex
				var in []Place
				for range 5 {
					go func() {
						p, _ := e.enter(t.Context())
						mu.Lock()
						defer mu.Unlock()
						in = append(in, p)
					}()
				}
				synctest.Wait()
				n, _ := e.With(tt.next)
				n.Govern()
				synctest.Wait()
				if len(in) != tt.want {
					t.Errorf("%d went in", len(in))
				}
				e.Leave(p)
				for left := 5; left > 0; left-- {
					synctest.Wait()
					p, in = in[0], in[1:]
					e.Leave(p)
				}
				e.empty(t)
			})
		})
	}
}

// TestShare: where connections turn out to be shared, all who wait go on, and leave as they should.
func TestShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := limited(t, Limit{Connections: 1})
		p, _ := e.enter(t.Context())
		for range 5 {
			go func() {
				p, err := e.enter(t.Context())
				if err != nil {
					t.Error(err)
				}
				e.Leave(p)
			}()
		}
		synctest.Wait()
		e.Share()
		synctest.Wait()
		if n := e.gate.line.held.Load(); n != 1 {
			t.Errorf("%d held", n)
		}
		e.Leave(p)
		e.empty(t)
	})
}

// TestLineAgainstModel: random arrivals, departures and despair; after each step the same calls are in as in a line that is
// a slice.
func TestLineAgainstModel(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			set := Limit{Connections: 1 + rnd.IntN(4), Pending: 1 + rnd.IntN(5), Requests: rnd.IntN(6)}
			e := limited(t, set)
			type one struct {
				ctx    context.Context
				cancel context.CancelFunc
				done   bool
				place  Place
				err    error
			}
			var in, wait []*one // the model's
			admit := func(o *one) (ok bool) {
				if set.Requests > 0 && len(in) >= set.Requests {
					return false
				}
				in = append(in, o)
				return true
			}
			remove := func(list []*one, i int) []*one { return append(list[:i:i], list[i+1:]...) }
			for step := range 300 {
				want := map[*one]error{}
				switch rnd.IntN(5) {
				case 0, 1:
					o := &one{}
					o.ctx, o.cancel = context.WithCancel(t.Context())
					go func() {
						o.place, o.err = e.enter(o.ctx)
						o.done = true
					}()
					switch {
					case len(wait) == 0 && len(in) < set.Connections:
						want[o] = nil
						if !admit(o) {
							want[o] = errRequests
						}
					case len(wait) >= set.Pending:
						want[o] = errPending
					default:
						wait = append(wait, o)
					}
				case 2, 3:
					if len(in) == 0 {
						continue
					}
					i := rnd.IntN(len(in))
					o := in[i]
					in = remove(in, i)
					e.Leave(o.place)
					o.cancel()
					for len(wait) > 0 && len(in) < set.Connections {
						next := wait[0]
						wait = wait[1:]
						want[next] = nil
						if !admit(next) {
							want[next] = errRequests
						}
					}
				case 4:
					if len(wait) == 0 {
						continue
					}
					i := rnd.IntN(len(wait))
					wait[i].cancel()
					want[wait[i]] = context.Canceled
					wait = remove(wait, i)
				}
				synctest.Wait()
				for o, err := range want {
					if !o.done || !errors.Is(o.err, err) || err == nil && o.err != nil {
						t.Fatalf("seed %d, step %d, %+v: %t, %v, want %v", seed, step, set, o.done, o.err, err)
					}
				}
				for _, o := range wait {
					if o.done {
						t.Fatalf("seed %d, step %d, %+v: one who should wait does not: %v", seed, step, set, o.err)
					}
				}
			}
			for _, o := range wait {
				o.cancel()
			}
			for _, o := range in {
				e.Leave(o.place)
				o.cancel()
			}
			synctest.Wait()
			e.empty(t)
		})
	}
}

// TestLimitsUnderLoad: many callers, some without patience. Neither bound is ever exceeded, and nothing is left over.
func TestLimitsUnderLoad(t *testing.T) {
	e := limited(t, Limit{Connections: 4, Pending: 8, Requests: 6})
	var alone, all, most atomic.Int64
	var callers sync.WaitGroup
	for i := range 32 {
		callers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 5))
			for range 2000 {
				ctx, cancel := context.WithCancel(t.Context())
				own := rnd.IntN(3) > 0
				if rnd.IntN(4) == 0 {
					go cancel()
				}
				p, err := e.Admit(ctx, time.Time{}, own)
				if err == nil {
					n := all.Add(1)
					if n > 6 || own && alone.Add(1) > 4 {
						t.Error("too many")
					}
					for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
					}
					all.Add(-1)
					if own {
						alone.Add(-1)
					}
					e.Leave(p)
				}
				cancel()
			}
		})
	}
	callers.Wait()
	e.empty(t)
	t.Logf("%d at most", most.Load())
}

// TestAdmitAllocates: nothing, where nobody waits.
func TestAdmitAllocates(t *testing.T) {
	for name, e := range map[string]*Executor{
		"off": limitedOff(t), "on": limited(t, Limit{Connections: 10, Requests: 10, Retries: 3}),
	} {
		ctx := t.Context()
		if n := testing.AllocsPerRun(100, func() {
			p, err := e.Admit(ctx, time.Time{}, true)
			if err != nil {
				t.Fatal(err)
			}
			e.Leave(p)
		}); n != 0 {
			t.Errorf("%s: %v", name, n)
		}
	}
}

func limitedOff(t testing.TB) *Executor {
	e, err := New(Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestRetriesUnderWay: as many at the same time as permitted, from when they are granted until the next one or the end.
func TestRetriesUnderWay(t *testing.T) {
	e, err := New(Policy{Retry: &Retry{Retries: 10, Idempotent: true}, Limit: &Limit{Retries: 2}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(s *Series, tries int) bool {
		s.Replayable = true
		_, again := e.Again(s, call.Outcome{Status: 503}, tries, time.Now())
		return again
	}
	var a, b, c Series
	if !ask(&a, 1) || !ask(&b, 1) || !ask(&a, 2) { // a's second comes when its first is over
		t.Fatal("refused")
	}
	if ask(&c, 1) || c.Stopped != StopLimit || c.Stopped.String() != "limit" {
		t.Fatalf("%v", c.Stopped)
	}
	e.Close(&a)
	e.Close(&a)
	if !ask(&c, 1) {
		t.Fatal("refused")
	}
	if ask(&a, 3) {
		t.Error("more than two")
	}
	b.Replayable = false
	if _, again := e.Again(&b, call.Outcome{Status: 503}, 2, time.Now()); again {
		t.Error("again")
	}
	if !ask(&Series{}, 1) { // b's was over when it was asked about
		t.Error("refused")
	}
	late, _ := New(Policy{Retry: &Retry{Idempotent: true}, Limit: &Limit{Retries: -1}})
	if _, again := late.Again(&Series{Replayable: true}, call.Outcome{Status: 503}, 1, time.Now()); again {
		t.Error("there are to be none")
	}
}

// TestDoUnderLimits: fn is not called, and places are given back by fn's errors and panics.
func TestDoUnderLimits(t *testing.T) {
	e := limited(t, Limit{Requests: 1, Retries: 1})
	inner := func(context.Context) (int, error) { return 7, nil }
	_, err := Do(t.Context(), e, func(ctx context.Context) (int, error) { return Do(ctx, e, inner) })
	if !errors.Is(err, ErrLimited) {
		t.Error(err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = Do(t.Context(), e, func(context.Context) (int, error) { panic("fn") })
	}()
	if v, err := Do(t.Context(), e, inner); v != 7 || err != nil {
		t.Error(v, err)
	}
	e.empty(t)
}

func BenchmarkAdmit(b *testing.B) {
	for name, e := range map[string]*Executor{"off": limitedOff(b), "on": limited(b, Limit{Connections: 1e6, Requests: 1e6})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := b.Context()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					p, err := e.Admit(ctx, time.Time{}, true)
					if err != nil {
						b.Error(err)
					}
					e.Leave(p)
				}
			})
		})
	}
}
