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

// TestOneProbe: of many calls at the same time one goes to an endpoint whose time is over, until that one has an answer.
func TestOneProbe(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		time.Sleep(30 * time.Second)
		answer := make(chan call.Outcome)
		r.try = func(a *Attempt) call.Outcome {
			if a.Addr == "a:1" {
				return <-answer
			}
			return http200
		}
		var calls sync.WaitGroup
		for range 200 {
			calls.Go(func() { r.do() })
		}
		synctest.Wait()
		if got := r.served["a:1"]; got != 1 {
			t.Fatalf("%d calls at the endpoint that is being probed", got)
		}
		if s := r.dest().EndpointStates(); s != (EndpointStates{Ready: 2, Probing: 1}) {
			t.Errorf("%+v", s)
		}
		answer <- http200
		calls.Wait()
		r.wantHeard(call.EndpointEjected, call.EndpointReadmitted)
	})
}

// TestProbeThatSaysNothing: the next call is a probe then, and so it is where a probe is silent for long.
func TestProbeThatSaysNothing(t *testing.T) {
	for name, nothing := range map[string]func(a *Attempt) call.Outcome{
		"cancelled": func(*Attempt) call.Outcome { return call.Outcome{Err: context.Canceled, Canceled: true} },
		"hurried": func(a *Attempt) call.Outcome {
			a.Node.usual.Store(int64(time.Hour))
			return call.Outcome{Err: context.DeadlineExceeded, Code: call.DeadlineExceeded}
		},
		"handed back": func(*Attempt) call.Outcome {
			return call.Outcome{Err: errors.New("goaway"), Sent: call.SentNo, RefusedStream: true}
		},
		"panic": func(*Attempt) call.Outcome { panic("a transport of the caller's") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
				r.judge("a:1", http500, 5)
				time.Sleep(30 * time.Second)
				seen := 0
				r.try = func(a *Attempt) call.Outcome {
					if a.Addr != "a:1" {
						return http200
					}
					if seen++; seen < 3 {
						return nothing(a)
					}
					return http200
				}
				for range 1000 {
					func() {
						defer func() { _ = recover() }()
						r.do()
					}()
					if seen < 3 && !r.node("a:1").Ejected() {
						t.Fatal("readmitted for nothing")
					}
				}
				if seen < 3 || r.node("a:1").Ejected() {
					t.Errorf("%d probes, ejected: %t", seen, r.node("a:1").Ejected())
				}
			})
		})
	}
	t.Run("silent", func(t *testing.T) {
		inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
			r.judge("a:1", http500, 5)
			time.Sleep(30 * time.Second)
			hang := make(chan struct{})
			r.try = func(a *Attempt) call.Outcome {
				if a.Addr == "a:1" {
					<-hang
				}
				return http200
			}
			var calls sync.WaitGroup
			both := func() int {
				for range 50 {
					calls.Go(func() { r.do() })
				}
				synctest.Wait()
				return r.served["a:1"]
			}
			if n := both(); n != 1 {
				t.Fatal(n)
			}
			time.Sleep(probePatience - 1)
			if n := both(); n != 1 {
				t.Fatal(n)
			}
			time.Sleep(1)
			if n := both(); n != 2 {
				t.Fatal(n)
			}
			close(hang)
			calls.Wait()
			r.wantHeard(call.EndpointEjected, call.EndpointReadmitted) // once
		})
	})
}

// TestLateFailures: what was under way when the endpoint was ejected counts for nothing.
func TestLateFailures(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 100)
		r.judge("a:1", http200, 100)
		r.wantHeard(call.EndpointEjected)
		time.Sleep(30 * time.Second)
		r.judge("a:1", http500, 100)
		r.judge("a:1", http200, 100)
		r.wantHeard()
	})
}

// TestPanic: beyond the threshold ejections are ignored, and endpoints come back by what happens to their calls.
func TestPanic(t *testing.T) {
	all := func(o *resilience.Outlier) { o.MaxPercent = 100 }
	never := func(o *resilience.Outlier) { o.MaxPercent, o.MinHealthPercent = 100, -1 }
	four := []string{"a:1", "b:1", "c:1", "d:1"}
	for _, tt := range []struct {
		name   string
		policy func(*resilience.Outlier)
		want   bool
	}{{"half", all, true}, {"never", never, false}} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, outlier(tt.policy), four, func(t *testing.T, r *rig) {
				r.judge("a:1", http500, 5)
				r.judge("b:1", http500, 5)
				for range 100 {
					r.do()
				}
				if r.served["a:1"]+r.served["b:1"] > 0 {
					t.Fatal("half is not more than half")
				}
				r.judge("c:1", http500, 5)
				for range 100 {
					r.do()
				}
				if got := r.served["a:1"] > 0 && r.served["b:1"] > 0; got != tt.want {
					t.Errorf("ejections ignored: %t", got)
				}
				if got := r.dest().EndpointStates().Panic; got != tt.want {
					t.Errorf("panic: %t", got)
				}
				time.Sleep(30 * time.Second)
				for range 200 {
					r.do()
				}
				if got := r.ejected(); got != nil {
					t.Errorf("still out: %v", got)
				}
				if got := r.heard(); slices.Contains(got, call.PanicEntered) != tt.want || slices.Contains(got, call.PanicLeft) != tt.want {
					t.Errorf("%v", got)
				}
			})
		})
	}
}

// TestTriedStandsBack: a retry goes to an endpoint that is not ejected, though it was tried, before one that is.
func TestTriedStandsBack(t *testing.T) {
	p := outlier()
	p.Retry = &resilience.Retry{}
	inBubble(t, p, []string{"a:1", "b:1"}, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		n := 0
		r.try = func(*Attempt) call.Outcome {
			if n++; n == 1 {
				return http503
			}
			return http200
		}
		if addr, err := r.do(); addr != "b:1" || err != nil || r.served["a:1"] != 0 || r.served["b:1"] != 2 {
			t.Errorf("%s, %v, %v", addr, err, r.served)
		}
	})
}

// TestFailsFast: of three endpoints one fails at once. It is out after its fifth failure, and got under a third of the calls.
func TestFailsFast(t *testing.T) {
	for range 20 {
		p := resilience.Standard()
		inBubble(t, p, three, func(t *testing.T, r *rig) {
			r.try = failing("b:1")
			for range 1000 {
				if _, err := r.do(); err != nil {
					t.Fatal(err)
				}
			}
			if r.served["b:1"] != 5 {
				t.Errorf("%d calls before it was out", r.served["b:1"])
			}
			r.wantHeard(call.EndpointEjected)
		})
	}
}

// TestListenerMayCall: a listener, or a log handler, that makes calls itself waits for nothing.
func TestListenerMayCall(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		var order []call.EventKind
		r.hear = func(e call.Event) {
			order = append(order, e.Kind)
			if len(order) == 1 {
				r.c.SetResilience(resilience.Config{}) // makes an event
			}
			if _, err := r.do(); err != nil {
				t.Error(err)
			}
		}
		r.judge("a:1", http500, 5)
		if want := []call.EventKind{call.EndpointEjected, call.EndpointReadmitted}; !slices.Equal(order, want) {
			t.Errorf("%v, want %v", order, want)
		}
	})
}

// TestClaim: who loses the race for being the probe chooses anew, unless ejections are ignored.
func TestClaim(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		n := r.node("a:1")
		first, second := r.attempt(), r.attempt()
		if !first.claim(n) || first.probe.Load() != nil {
			t.Error("before its time an ejected endpoint is taken only for want of another, and not to find out")
		}
		time.Sleep(30 * time.Second)
		if !first.claim(n) || first.probe.Load() != n {
			t.Error("the first is no probe")
		}
		if second.claim(n) || second.probe.Load() != nil {
			t.Error("a second probe")
		}
		r.dest().outliers.active.Store(false) // as in a panic
		if !second.claim(n) || second.probe.Load() != nil {
			t.Error("ejections are ignored, but this one was not")
		}
		first.release()
		if !second.claim(n) || second.probe.Load() != n {
			t.Error("nobody else is the probe")
		}
	})
}

// TestRetiredFails: an endpoint that has left the list takes nobody's place among the ejected.
func TestRetiredFails(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		gone := r.node("a:1")
		r.list("b:1", "c:1")
		for range 10 {
			r.attempt().Judge(gone, call.Failure, &call.Attempt{Outcome: http500})
		}
		r.wantHeard()
		if gone.Ejected() {
			t.Error("ejected")
		}
	})
}

// TestEventsInOrder: what a listener itself brings about is told after what was there before.
func TestEventsInOrder(t *testing.T) {
	p := outlier(func(o *resilience.Outlier) { o.MaxPercent = 100 })
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		r.hear = func(e call.Event) {
			if e.Kind == call.EndpointEjected {
				r.c.SetResilience(resilience.Config{})
			}
		}
		r.judge("b:1", http500, 5)
		r.wantHeard(call.EndpointEjected, call.EndpointEjected, call.PanicEntered, call.EndpointReadmitted,
			call.EndpointReadmitted, call.PanicLeft)
	})
}
