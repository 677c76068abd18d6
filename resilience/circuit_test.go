package resilience

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// rig is a breaker with what it said.
type rig struct {
	t    *testing.T
	e    *Executor
	said []call.Event
}

func newRig(t *testing.T, b Breaker) *rig {
	t.Helper()
	r := &rig{t: t, e: newExecutor(t, Policy{Breaker: &b})}
	r.e.Observe(func(e call.Event) { r.said = append(r.said, e) })
	return r
}

// calls makes n calls that end at once.
func (r *rig) calls(n int, class call.Class) {
	r.t.Helper()
	for i := range n {
		p, err := r.e.Enter(context.Background())
		if err != nil {
			r.t.Fatalf("call %d: %v", i, err)
		}
		p.Leave(context.Background(), class)
	}
}

func (r *rig) want(s BreakerState) {
	r.t.Helper()
	if got := r.e.Breaker(); got != s {
		r.t.Fatalf("%v, want %v", got, s)
	}
}

// refuses checks that a call is refused.
func (r *rig) refuses() {
	r.t.Helper()
	if _, err := r.e.Enter(context.Background()); !errors.Is(err, ErrOpen) {
		r.t.Fatalf("got %v, want ErrOpen", err)
	}
}

func (r *rig) enter() Pass {
	r.t.Helper()
	p, err := r.e.Enter(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) kinds() (kinds []call.EventKind) {
	for _, e := range r.said {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// TestBreakerOpens: what adds up to an open breaker under the defaults, and what does not.
func TestBreakerOpens(t *testing.T) {
	type run struct {
		n     int
		class call.Class
		pause time.Duration // afterwards
	}
	const s = time.Second
	for _, tt := range []struct {
		name string
		runs []run
		want BreakerState
	}{
		{"19 failures", []run{{19, call.Failure, 0}}, BreakerClosed},
		{"20 failures", []run{{20, call.Failure, 0}}, BreakerOpen},
		{"half of 20", []run{{10, call.Success, 0}, {10, call.Failure, 0}}, BreakerOpen},
		{"9 of 20", []run{{11, call.Success, 0}, {9, call.Failure, 0}}, BreakerClosed},
		{"half of 40", []run{{20, call.Success, 0}, {20, call.Failure, 0}}, BreakerOpen},
		{"19 of 39", []run{{20, call.Success, 0}, {19, call.Failure, 0}}, BreakerClosed},
		{"connections refused", []run{{20, call.Refused, 0}}, BreakerOpen},
		{"busy", []run{{100, call.Busy, 0}}, BreakerClosed},
		{"cancelled", []run{{100, call.Canceled, 0}}, BreakerClosed},
		{"cancelled do not count as calls", []run{{10, call.Canceled, 0}, {19, call.Failure, 0}}, BreakerClosed},
		{"within the window", []run{{10, call.Failure, 8 * s}, {10, call.Failure, 0}}, BreakerOpen},
		{"the first half is forgotten", []run{{10, call.Failure, 10 * s}, {10, call.Failure, 0}}, BreakerClosed},
		{"old successes are forgotten", []run{{100, call.Success, 10 * s}, {20, call.Failure, 0}}, BreakerOpen},
		{"two a second never add up", []run{
			{2, call.Failure, s}, {2, call.Failure, s}, {2, call.Failure, s}, {2, call.Failure, s},
			{2, call.Failure, s}, {2, call.Failure, s}, {2, call.Failure, s}, {2, call.Failure, s},
			{1, call.Failure, s}, {2, call.Failure, s}, {2, call.Failure, s}, {2, call.Failure, 0},
		}, BreakerClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Breaker{})
				for _, run := range tt.runs {
					r.calls(run.n, run.class)
					time.Sleep(run.pause)
				}
				r.want(tt.want)
			})
		})
	}
}

// TestBreakerCountsWhenCallsEnd: calls that take longer than the window count.
func TestBreakerCountsWhenCallsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Breaker{})
		var under []Pass
		for range 20 {
			under = append(under, r.enter())
		}
		time.Sleep(15 * time.Second)
		for i := range under {
			r.want(BreakerClosed)
			under[i].Leave(context.Background(), call.Failure)
		}
		r.want(BreakerOpen)
	})
}

// TestBreakerOpenTime: 5 s, doubled by every failed probe, up to 60 s; after a success it is 5 s again.
func TestBreakerOpenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Breaker{})
		for range 2 {
			r.calls(20, call.Failure)
			for _, s := range []int{5, 10, 20, 40, 60, 60} {
				open := time.Duration(s) * time.Second
				if last := r.said[len(r.said)-1]; last.Kind != call.BreakerOpened || last.For != open || last.Time != time.Now() {
					t.Fatalf("%+v, want it open for %v", last, open)
				}
				r.refuses()
				time.Sleep(open - 1)
				r.want(BreakerOpen)
				r.refuses()
				time.Sleep(1)
				r.want(BreakerHalfOpen)
				p := r.enter()
				if !p.Probe() {
					t.Fatal("not a probe")
				}
				r.refuses() // one at a time
				p.Leave(context.Background(), call.Failure)
				r.want(BreakerOpen)
			}
			time.Sleep(time.Minute)
			p := r.enter()
			p.Leave(context.Background(), call.Success)
			r.want(BreakerClosed)
			r.calls(19, call.Failure) // nothing of before counts
			r.want(BreakerClosed)
			time.Sleep(10 * time.Second)
		}
		if got := r.said[0].Reason; got != call.FailureRatio {
			t.Error(got)
		}
		if got := r.kinds()[:3]; !slices.Equal(got, []call.EventKind{call.BreakerOpened, call.BreakerHalfOpen, call.BreakerOpened}) {
			t.Error(got)
		}
	})
}

// TestBreakerProbe: what becomes of a probe, whatever becomes of it.
func TestBreakerProbe(t *testing.T) {
	for _, tt := range []struct {
		class call.Class
		want  BreakerState
	}{
		{call.Success, BreakerClosed}, {call.Busy, BreakerClosed}, {call.Failure, BreakerOpen},
		{call.Refused, BreakerOpen}, {call.Canceled, BreakerHalfOpen},
	} {
		t.Run(tt.class.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Breaker{})
				r.calls(20, call.Failure)
				time.Sleep(5 * time.Second)
				p := r.enter()
				p.Leave(context.Background(), tt.class)
				p.Leave(context.Background(), call.Failure) // once only
				r.want(tt.want)
				if tt.want == BreakerHalfOpen {
					p = r.enter() // and the next may try
					p.Leave(context.Background(), call.Success)
					r.want(BreakerClosed)
				}
			})
		})
	}
}

// TestBreakerSilentProbe: one that says nothing for the open time gives way to another, and then has no say.
func TestBreakerSilentProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Breaker{})
		r.calls(20, call.Failure)
		time.Sleep(5 * time.Second)
		silent := r.enter()
		time.Sleep(5*time.Second - 1)
		r.refuses()
		time.Sleep(1)
		second := r.enter()
		silent.Leave(context.Background(), call.Failure)
		r.want(BreakerHalfOpen)
		r.refuses()
		second.Leave(context.Background(), call.Success)
		r.want(BreakerClosed)
	})
}

// TestBreakerLateCalls: calls that began before it opened say nothing about the probe or about the period after it.
func TestBreakerLateCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Breaker{})
		var late []Pass
		for range 60 {
			late = append(late, r.enter())
		}
		leave := func(n int, class call.Class) {
			for range n {
				late[0].Leave(context.Background(), class)
				late = late[1:]
			}
		}
		leave(20, call.Failure)
		r.want(BreakerOpen)
		leave(5, call.Success)
		time.Sleep(5 * time.Second)
		leave(5, call.Failure)
		r.want(BreakerHalfOpen)
		probe := r.enter()
		leave(5, call.Failure)
		r.want(BreakerHalfOpen)
		probe.Leave(context.Background(), call.Success)
		leave(25, call.Failure)
		r.want(BreakerClosed)
	})
}

// TestBreakerPolicy: the state survives a reload with the same settings, written out or not, and no other.
func TestBreakerPolicy(t *testing.T) {
	for _, tt := range []struct {
		name string
		next *Breaker
		want BreakerState
	}{
		{"same", &Breaker{}, BreakerOpen},
		{"same, written out", &Breaker{Ratio: 0.5, MinCalls: 20, Window: 10 * time.Second, Open: 5 * time.Second, MaxOpen: time.Minute}, BreakerOpen},
		{"ratio", &Breaker{Ratio: 0.6}, BreakerClosed},
		{"open time", &Breaker{Open: 6 * time.Second}, BreakerClosed},
		{"none", nil, BreakerOff},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Breaker{})
				r.calls(20, call.Failure)
				next, err := r.e.With(Policy{Retry: &Retry{}, Breaker: tt.next})
				if err != nil {
					t.Fatal(err)
				}
				r.want(BreakerOpen) // the old executor stays what it was
				if next.SameBreaker(r.e) != (tt.want == BreakerOpen) {
					t.Error("SameBreaker")
				}
				r.e = next
				r.want(tt.want)
			})
		})
	}
}

// TestDoBreaker: Do obeys the breaker and tells it how calls ended, panics included.
func TestDoBreaker(t *testing.T) {
	boom := errors.New("boom")
	for _, tt := range []struct {
		name string
		fn   func(cancel func()) error
		want BreakerState
	}{
		{"errors", func(func()) error { return boom }, BreakerOpen},
		{"shed", func(func()) error { return ErrShed }, BreakerOpen},
		{"answers", func(func()) error { return Permanent(boom) }, BreakerClosed},
		{"cancelled", func(cancel func()) error { cancel(); return context.Canceled }, BreakerClosed},
		{"panics", func(func()) error { panic(boom) }, BreakerClosed},
		{"goexit", func(func()) error { runtime.Goexit(); return nil }, BreakerClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newExecutor(t, Policy{Breaker: &Breaker{}})
			one := func() {
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { _ = recover() }()
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					_, _ = Do(ctx, e, func(context.Context) (int, error) { return 0, tt.fn(cancel) })
				}()
				<-done
			}
			for range 20 {
				one()
			}
			if got := e.Breaker(); got != tt.want {
				t.Fatalf("%v, want %v", got, tt.want)
			}
			if tt.want == BreakerOpen {
				called := false
				_, err := Do(t.Context(), e, func(context.Context) (int, error) { called = true; return 0, nil })
				if !errors.Is(err, ErrOpen) || called {
					t.Errorf("%v, called: %t", err, called)
				}
			}
		})
	}
}

// TestDoBreakerAfterRetries: a call that a retry rescues is a success.
func TestDoBreakerAfterRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newExecutor(t, Policy{Breaker: &Breaker{}, Retry: &Retry{}})
		for range 100 {
			n := 0
			_, err := Do(t.Context(), e, func(context.Context) (int, error) {
				if n++; n == 1 {
					return 0, NotExecuted(errors.New("refused"))
				}
				return 0, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := e.Breaker(); got != BreakerClosed {
			t.Error(got)
		}
	})
}

// TestBreakerAllocations pins that a call allocates nothing.
func TestBreakerAllocations(t *testing.T) {
	e := newExecutor(t, Policy{Breaker: &Breaker{}})
	n := testing.AllocsPerRun(1000, func() {
		p, err := e.Enter(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		p.Leave(context.Background(), call.Success)
	})
	t.Logf("%v allocations", n)
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
	e = newExecutor(t, Policy{})
	if n := testing.AllocsPerRun(1000, func() { p, _ := e.Enter(context.Background()); p.Leave(context.Background(), call.Failure) }); n != 0 {
		t.Errorf("%v allocations without a breaker", n)
	}
}

func BenchmarkBreaker(b *testing.B) {
	e, err := New(Policy{Breaker: &Breaker{}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, _ := e.Enter(context.Background())
			p.Leave(context.Background(), call.Success)
		}
	})
}
