package stack

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

func breaking() resilience.Policy { return resilience.Policy{Breaker: &resilience.Breaker{}} }

// open makes the breaker open by calls that fail.
func (r *rig) open() {
	r.t.Helper()
	r.try = failing(three...)
	for range 20 {
		r.do()
	}
	if s := r.dest().BreakerState(); s != resilience.BreakerOpen {
		r.t.Fatal(s)
	}
}

// TestBreakerRefuses: at once, with no attempt, and the error says so.
func TestBreakerRefuses(t *testing.T) {
	inBubble(t, breaking(), three, func(t *testing.T, r *rig) {
		r.open()
		clear(r.served)
		_, err := r.do()
		var e *call.Error
		if !errors.As(err, &e) || e.Reason != call.BreakerOpen || e.Code != call.Unavailable || !errors.Is(err, resilience.ErrOpen) ||
			errors.Is(err, resilience.ErrShed) || e.Service != "orders" || e.Attempts != 0 || e.Endpoint != "" || len(r.served) != 0 {
			t.Errorf("%+v, served %v", err, r.served)
		}
		e0 := r.events[0]
		if e0.Kind != call.BreakerOpened || e0.Reason != call.FailureRatio || e0.Service != "orders" || e0.For != 5*time.Second || e0.Ctx == nil {
			t.Errorf("%+v", e0)
		}
		time.Sleep(5 * time.Second)
		r.try = nil
		if _, err := r.do(); err != nil {
			t.Error(err)
		}
		r.wantHeard(call.BreakerOpened, call.BreakerHalfOpen, call.BreakerClosed)
	})
}

// TestBreakerJudges: what a call says about its destination.
func TestBreakerJudges(t *testing.T) {
	hurry := func(a *Attempt) call.Outcome {
		a.Node.usual.Store(int64(time.Hour))
		return call.Outcome{Err: context.DeadlineExceeded, Code: call.DeadlineExceeded}
	}
	for _, tt := range []struct {
		name string
		try  func(a *Attempt) call.Outcome
		want resilience.BreakerState
	}{
		{"failures", failing(three...), resilience.BreakerOpen},
		{"cannot connect", func(*Attempt) call.Outcome {
			return call.Outcome{Err: errors.New("refused"), Code: call.Unavailable, Sent: call.SentNo}
		}, resilience.BreakerOpen},
		{"overloaded", func(*Attempt) call.Outcome {
			return call.Outcome{Status: 503, Code: call.Unavailable, Overloaded: true}
		}, resilience.BreakerOpen},
		{"late", func(*Attempt) call.Outcome {
			return call.Outcome{Err: context.DeadlineExceeded, Code: call.DeadlineExceeded}
		}, resilience.BreakerOpen},
		{"hurried", hurry, resilience.BreakerClosed},
		{"busy", func(*Attempt) call.Outcome { return call.Outcome{Status: 429} }, resilience.BreakerClosed},
		{"panic", func(*Attempt) call.Outcome { panic("a transport of the caller's") }, resilience.BreakerClosed},
		{"one of three", failing("a:1"), resilience.BreakerClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, breaking(), three, func(t *testing.T, r *rig) {
				r.try = tt.try
				for range 60 {
					func() {
						defer func() { _ = recover() }()
						r.do()
					}()
				}
				if got := r.dest().BreakerState(); got != tt.want {
					t.Errorf("%v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestBreakerOfNobody: calls that find no endpoint say nothing about the destination, and neither do cancelled ones.
func TestBreakerOfNobody(t *testing.T) {
	inBubble(t, breaking(), three, func(t *testing.T, r *rig) {
		gone, cancel := context.WithCancel(t.Context())
		r.try = func(*Attempt) call.Outcome {
			cancel()
			return call.Outcome{Err: context.Canceled, Code: call.Unavailable}
		}
		for range 50 {
			r.call(gone)
			gone, cancel = context.WithCancel(t.Context())
		}
		cancel()
		r.list()
		for range 50 {
			if _, err := r.do(); err == nil {
				t.Fatal("no error")
			}
		}
		if got := r.dest().BreakerState(); got != resilience.BreakerClosed {
			t.Error(got)
		}
	})
}

// TestBreakerProbeIsOne: of many calls one passes, and the others are refused until it has its answer.
func TestBreakerProbeIsOne(t *testing.T) {
	inBubble(t, breaking(), three, func(t *testing.T, r *rig) {
		r.open()
		time.Sleep(5 * time.Second)
		clear(r.served)
		answer := make(chan struct{})
		r.try = func(*Attempt) call.Outcome { <-answer; return http200 }
		var calls sync.WaitGroup
		var mu sync.Mutex
		refused := 0
		for range 100 {
			calls.Go(func() {
				if _, err := r.do(); errors.Is(err, resilience.ErrOpen) {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			})
		}
		synctest.Wait()
		close(answer)
		calls.Wait()
		if refused != 99 || r.served["a:1"]+r.served["b:1"]+r.served["c:1"] != 1 {
			t.Errorf("%d refused, %v served", refused, r.served)
		}
	})
}

// TestBreakerProbePanics: a probe whose transport panics leaves the way open for the next.
func TestBreakerProbePanics(t *testing.T) {
	inBubble(t, breaking(), three, func(t *testing.T, r *rig) {
		r.open()
		time.Sleep(5 * time.Second)
		r.try = func(*Attempt) call.Outcome { panic("a transport of the caller's") }
		func() {
			defer func() { _ = recover() }()
			r.do()
		}()
		r.try = nil
		if _, err := r.do(); err != nil {
			t.Error(err)
		}
	})
}

// TestBreakerOneOfTwo: retries rescue every call, so one bad endpoint of two never opens the breaker, even where it is not
// ejected.
func TestBreakerOneOfTwo(t *testing.T) {
	p := resilience.Standard()
	p.Outlier, p.Budget = nil, nil
	inBubble(t, p, []string{"a:1", "b:1"}, func(t *testing.T, r *rig) {
		r.try = failing("a:1")
		for range 2000 {
			if addr, err := r.do(); addr != "b:1" || err != nil {
				t.Fatal(addr, err)
			}
		}
		if r.served["a:1"] < 100 {
			t.Errorf("the bad one was asked %d times only", r.served["a:1"])
		}
		r.wantHeard()
	})
}

// TestBreakerSwitch: the same settings keep its state, others begin anew, none switches it off at once.
func TestBreakerSwitch(t *testing.T) {
	set := func(r *rig, p resilience.Policy) { r.c.SetResilience(resilience.Config{Default: p}) }
	inBubble(t, breaking(), three, func(t *testing.T, r *rig) {
		r.open()
		p := breaking()
		p.Retry = &resilience.Retry{}
		set(r, p)
		if got := r.dest().BreakerState(); got != resilience.BreakerOpen {
			t.Errorf("after a reload: %v", got)
		}
		r.heard()
		set(r, resilience.Policy{Breaker: &resilience.Breaker{MinCalls: 30}})
		if got := r.dest().BreakerState(); got != resilience.BreakerClosed {
			t.Errorf("with other settings: %v", got)
		}
		if len(r.events) != 1 || r.events[0].Kind != call.BreakerClosed || r.events[0].Reason != call.PolicyChanged {
			t.Errorf("%+v", r.events)
		}
		for range 30 {
			r.do()
		}
		if got := r.dest().BreakerState(); got != resilience.BreakerOpen {
			t.Error(got)
		}
		set(r, resilience.Policy{})
		r.try = nil
		if _, err := r.do(); err != nil || r.dest().BreakerState() != resilience.BreakerOff {
			t.Errorf("%v, %v", err, r.dest().BreakerState())
		}
	})
}

// TestBreakerEarnsNoRetries: calls that are refused do not fill the retry budget.
func TestBreakerEarnsNoRetries(t *testing.T) {
	p := resilience.Policy{
		Breaker: &resilience.Breaker{}, Retry: &resilience.Retry{}, Budget: &resilience.Budget{Ratio: 0.2, PerSecond: -1},
	}
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		r.open()
		for range 1000 {
			r.do()
		}
		time.Sleep(5 * time.Second)
		clear(r.served)
		r.do()
		if n := r.served["a:1"] + r.served["b:1"] + r.served["c:1"]; n != 1 {
			t.Errorf("%d attempts", n)
		}
	})
}

// TestEachState: what a page or a gauge reads.
func TestEachState(t *testing.T) {
	p := breaking()
	p.Outlier = &resilience.Outlier{}
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		var got []string
		r.c.EachBreaker(func(service string, s resilience.BreakerState) { got = append(got, service+" "+s.String()) })
		r.c.EachEndpoints(func(service, state string, n int) {
			if n > 0 {
				got = append(got, service+" "+state+" "+string(rune('0'+n)))
			}
		})
		if want := []string{"orders closed", "orders ready 2", "orders ejected 1"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
