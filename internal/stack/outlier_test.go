package stack

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// outlier is a policy of outlier detection alone, without chance.
func outlier(change ...func(*resilience.Outlier)) resilience.Policy {
	o := &resilience.Outlier{Jitter: -1}
	for _, f := range change {
		f(o)
	}
	return resilience.Policy{Outlier: o}
}

var three = []string{"a:1", "b:1", "c:1"}

func named(n int) (addrs []string) {
	for i := range n {
		addrs = append(addrs, "e"+strconv.Itoa(i)+":1")
	}
	return addrs
}

// TestWhatEjects: five of an outcome in a row, under the defaults.
func TestWhatEjects(t *testing.T) {
	status := func(s int) call.Outcome { return call.Outcome{Status: s, Code: call.CodeOfHTTP(s)} }
	code := func(c call.Code) call.Outcome { return call.Outcome{Code: c, Err: context.DeadlineExceeded} }
	for _, tt := range []struct {
		name string
		o    call.Outcome
		want bool
	}{
		{"500", status(500), true},
		{"502", status(502), true},
		{"503", status(503), true},
		{"504", status(504), true},
		{"501", status(501), false},
		{"429", status(429), false},
		{"404", status(404), false},
		{"overloaded 503", call.Outcome{Status: 503, Code: call.Unavailable, Overloaded: true}, false},
		{"cancelled", call.Outcome{Err: context.Canceled, Code: call.CanceledCode, Canceled: true}, false},
		{"cannot connect", call.Outcome{Err: context.DeadlineExceeded, Code: call.Unavailable, Sent: call.SentNo}, true},
		{"handed back", call.Outcome{Err: context.DeadlineExceeded, Code: call.Unavailable, Sent: call.SentNo, RefusedStream: true}, false},
		{"broken", code(call.Unavailable), true},
		{"INTERNAL", code(call.Internal), true},
		{"DATA_LOSS", code(call.DataLoss), true},
		{"UNKNOWN", code(call.Unknown), true},
		{"DEADLINE_EXCEEDED", code(call.DeadlineExceeded), true},
		{"RESOURCE_EXHAUSTED", code(call.ResourceExhausted), false},
		{"NOT_FOUND", code(call.NotFound), false},
		{"ABORTED", code(call.Aborted), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
				r.judge("a:1", tt.o, 4)
				if got := r.ejected(); got != nil {
					t.Fatalf("%v after 4", got)
				}
				r.judge("a:1", tt.o, 1)
				if got := r.node("a:1").Ejected(); got != tt.want {
					t.Errorf("ejected: %t, want %t", got, tt.want)
				}
			})
		})
	}
}

// TestHurried: a deadline that is shorter than the endpoint usually takes says nothing about it.
func TestHurried(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		n := r.node("a:1")
		n.learn(100 * time.Millisecond)
		late := func(after time.Duration) {
			for range 5 {
				o := call.Outcome{Err: context.DeadlineExceeded, Code: call.DeadlineExceeded}
				r.attempt().Judge(n, call.Classify(o), &call.Attempt{Outcome: o, Took: after})
			}
		}
		late(99 * time.Millisecond)
		if n.Ejected() {
			t.Error("ejected by its callers' haste")
		}
		late(100 * time.Millisecond)
		if !n.Ejected() {
			t.Error("not ejected")
		}
	})
}

// TestConsecutive: how many in a row, of what kind.
func TestConsecutive(t *testing.T) {
	gateway := func(o *resilience.Outlier) { o.Consecutive5xx, o.ConsecutiveGateway = -1, 3 }
	both := func(o *resilience.Outlier) { o.ConsecutiveGateway = 3 }
	off := func(o *resilience.Outlier) { o.Consecutive5xx = -1 }
	two := func(o *resilience.Outlier) { o.Consecutive5xx = 2 }
	busy := call.Outcome{Status: 429}
	canceled := call.Outcome{Canceled: true}
	for _, tt := range []struct {
		name   string
		policy func(*resilience.Outlier)
		seen   []call.Outcome
		want   string // the reason; empty: not ejected
	}{
		{"five", nil, []call.Outcome{http500, http503, http500, http503, http500}, call.Consecutive5xx},
		{"a success between", nil, []call.Outcome{http500, http500, http500, http500, http200, http500}, ""},
		{"an answer between", nil, []call.Outcome{http500, http500, http500, http500, busy, http500}, ""},
		{"what says nothing between", nil, []call.Outcome{http500, http500, http500, http500, canceled, http500}, call.Consecutive5xx},
		{"two", two, []call.Outcome{http500, http500}, call.Consecutive5xx},
		{"off", off, []call.Outcome{http500, http500, http500, http500, http500, http500}, ""},
		{"gateway", gateway, []call.Outcome{http503, http503, http503}, call.ConsecutiveGateway},
		{"not gateway", gateway, []call.Outcome{http500, http500, http500, http500, http500}, ""},
		{"500 ends a row of gateway failures", gateway, []call.Outcome{http503, http503, http500, http503}, ""},
		{"both", both, []call.Outcome{http500, http503, http503, http503}, call.ConsecutiveGateway},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var change []func(*resilience.Outlier)
			if tt.policy != nil {
				change = append(change, tt.policy)
			}
			inBubble(t, outlier(change...), three, func(t *testing.T, r *rig) {
				for i, o := range tt.seen {
					if r.node("a:1").Ejected() {
						t.Fatalf("ejected after %d", i)
					}
					r.judge("a:1", o, 1)
				}
				if r.node("a:1").Ejected() != (tt.want != "") {
					t.Fatalf("ejected: %t", tt.want == "")
				}
				if tt.want != "" && r.events[0].Reason != tt.want {
					t.Errorf("%+v", r.events[0])
				}
			})
		})
	}
}

// TestEjectionTimes: 30 s times the number of ejections up to 300 s; it falls by one for each interval without one.
func TestEjectionTimes(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		r.try = failing("a:1")
		n := r.node("a:1")
		want := func(d time.Duration) {
			t.Helper()
			last := r.events[len(r.events)-1]
			if last.Kind != call.EndpointEjected || last.Endpoint != "a:1" || last.For != d || last.Service != "orders" || last.Ejected != 1 || last.Endpoints != 3 || last.Ctx == nil {
				t.Fatalf("%+v, want an ejection for %v", last, d)
			}
		}
		probeWhenDue := func(d time.Duration) {
			t.Helper()
			time.Sleep(d - 1)
			before := r.served["a:1"]
			for range 50 {
				r.do()
			}
			if r.served["a:1"] != before {
				t.Fatal("chosen before its time")
			}
			time.Sleep(1)
			for range 50 {
				r.do()
			}
			if r.served["a:1"] != before+1 {
				t.Fatalf("%d probes", r.served["a:1"]-before)
			}
		}
		r.judge("a:1", http500, 5)
		for i := range 12 {
			d := min(time.Duration(i+1)*30*time.Second, 300*time.Second)
			want(d)
			if i > 0 && r.events[len(r.events)-1].Reason != call.ProbeFailed {
				t.Errorf("%+v", r.events[i])
			}
			probeWhenDue(d)
		}
		r.try = nil
		time.Sleep(300 * time.Second)
		for range 100 {
			r.do()
		}
		if n.Ejected() {
			t.Fatal("a probe that succeeded did not readmit")
		}
		if last := r.events[len(r.events)-1]; last.Kind != call.EndpointReadmitted || last.Reason != call.ProbeSucceeded || last.Ejected != 0 {
			t.Errorf("%+v", last)
		}
		time.Sleep(75 * time.Second) // seven intervals: from 10 to 3, and one more
		r.judge("a:1", http500, 5)
		want(4 * 30 * time.Second)
	})
}

// TestMultiplierFallsToNothing: after as many intervals an endpoint is as good as new.
func TestMultiplierFallsToNothing(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		for range 3 {
			r.judge("a:1", http500, 5)
			if last := r.events[len(r.events)-1]; last.For != 30*time.Second {
				t.Fatalf("%+v", last)
			}
			time.Sleep(30 * time.Second)
			for r.node("a:1").Ejected() {
				r.do()
			}
			time.Sleep(10 * time.Second)
		}
	})
}

// TestJitter: an ejection is longer by 0 to 10 %, and not always by the same.
func TestJitter(t *testing.T) {
	inBubble(t, resilience.Policy{Outlier: &resilience.Outlier{}}, three, func(t *testing.T, r *rig) {
		seen := make(map[time.Duration]bool)
		for range 50 {
			r.judge("a:1", http500, 5)
			d := r.events[len(r.events)-1].For
			if d < 30*time.Second || d > 33*time.Second {
				t.Fatal(d)
			}
			seen[d] = true
			r.c.SetResilience(resilience.Config{})
			r.c.SetResilience(resilience.Config{Default: resilience.Policy{Outlier: &resilience.Outlier{}}})
			time.Sleep(time.Hour)
		}
		if len(seen) < 40 {
			t.Errorf("%d different times of 50", len(seen))
		}
	})
}

// TestHowManyMayBeOut: a share, but one always, and the last one never.
func TestHowManyMayBeOut(t *testing.T) {
	for _, tt := range []struct{ endpoints, percent, want int }{
		{1, 0, 0}, {2, 0, 1}, {3, 0, 1}, {10, 0, 1}, {19, 0, 1}, {20, 0, 2}, {100, 0, 10}, {1, 100, 0}, {2, 100, 1}, {5, 100, 4}, {10, 35, 3},
	} {
		addrs := named(tt.endpoints)
		set := func(o *resilience.Outlier) { o.MaxPercent, o.MinHealthPercent = tt.percent, -1 }
		inBubble(t, outlier(set), addrs, func(t *testing.T, r *rig) {
			for _, a := range addrs {
				r.judge(a, http500, 10)
			}
			out := r.ejected()
			if len(out) != tt.want {
				t.Errorf("%d of %d out at %d %%, want %d", len(out), tt.endpoints, tt.percent, tt.want)
			}
			if s := r.dest().EndpointStates(); s != (EndpointStates{Ready: tt.endpoints - tt.want, Ejected: tt.want}) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestWaitingForAPlace: who may not be ejected because another is, is ejected at its next failure once that one is back.
func TestWaitingForAPlace(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		r.judge("b:1", http500, 10)
		if got := r.ejected(); !slices.Equal(got, []string{"a:1"}) {
			t.Fatal(got)
		}
		time.Sleep(30 * time.Second)
		r.try = failing("b:1")
		for r.node("a:1").Ejected() {
			r.do()
		}
		r.judge("b:1", http500, 1)
		if got := r.ejected(); !slices.Equal(got, []string{"b:1"}) {
			t.Error(got)
		}
	})
}

// TestShorterList: ejections that the list has become too short for end, those first that would end first.
func TestShorterList(t *testing.T) {
	addrs := named(20)
	inBubble(t, outlier(), addrs, func(t *testing.T, r *rig) {
		r.judge("e0:1", http500, 5)
		time.Sleep(time.Second)
		r.judge("e1:1", http500, 5)
		r.heard()
		r.list(addrs[:10]...)
		if got := r.ejected(); !slices.Equal(got, []string{"e1:1"}) {
			t.Errorf("%v", got)
		}
		if e := r.events[0]; e.Kind != call.EndpointReadmitted || e.Endpoint != "e0:1" || e.Reason != call.EndpointsChanged {
			t.Errorf("%+v", e)
		}
		r.list("e1:1")
		if got := r.ejected(); got != nil {
			t.Errorf("the only one is out: %v", got)
		}
	})
}

// TestEjectionSurvives: leaving the list and coming back, and a new policy; but not the end of outlier detection.
func TestEjectionSurvives(t *testing.T) {
	inBubble(t, outlier(), three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		r.list("b:1", "c:1")
		if s := r.dest().EndpointStates(); s != (EndpointStates{Ready: 2}) {
			t.Errorf("%+v", s)
		}
		r.list(three...)
		if got := r.ejected(); !slices.Equal(got, []string{"a:1"}) {
			t.Errorf("after a flap: %v", got)
		}
		r.c.SetResilience(resilience.Config{Default: outlier(func(o *resilience.Outlier) { o.Consecutive5xx = 7 })})
		if got := r.ejected(); !slices.Equal(got, []string{"a:1"}) {
			t.Errorf("after a change of policy: %v", got)
		}
		r.heard()
		r.c.SetResilience(resilience.Config{})
		if got := r.ejected(); got != nil {
			t.Errorf("without outlier detection: %v", got)
		}
		if e := r.events[0]; e.Kind != call.EndpointReadmitted || e.Reason != call.PolicyChanged {
			t.Errorf("%+v", e)
		}
		r.judge("a:1", http500, 50)
		if got := r.ejected(); got != nil {
			t.Errorf("without outlier detection: %v", got)
		}
	})
}

// TestLongGone: one that was ejected for minutes is still known when it comes back, and then forgotten.
func TestLongGone(t *testing.T) {
	long := func(o *resilience.Outlier) { o.BaseEjection = 10 * time.Minute }
	inBubble(t, outlier(long), three, func(t *testing.T, r *rig) {
		r.judge("a:1", http500, 5)
		r.list("b:1", "c:1")
		time.Sleep(5 * time.Minute)
		r.list("b:1", "c:1", "d:1") // a change: what may be forgotten is
		r.list(three...)
		if got := r.ejected(); !slices.Equal(got, []string{"a:1"}) {
			t.Errorf("after 5 min: %v", got)
		}
		r.list("b:1", "c:1")
		time.Sleep(time.Hour)
		r.list("b:1", "c:1", "d:1")
		r.list(three...)
		if got := r.ejected(); got != nil {
			t.Errorf("after an hour: %v", got)
		}
		if n := len(r.dest().outliers.out); n != 0 {
			t.Errorf("%d are remembered as out", n)
		}
	})
}
