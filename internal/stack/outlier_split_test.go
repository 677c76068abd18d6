package stack

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

var (
	discoveryEndpoint = discovery.Endpoint{Addr: "a:1"}

	errLost   = errors.New("connection reset")
	broken    = call.Outcome{Err: errLost, Code: call.Unavailable}
	refused   = call.Outcome{Err: errLost, Code: call.Unavailable, Sent: call.SentNo}
	late      = call.Outcome{Err: context.DeadlineExceeded, Code: call.DeadlineExceeded}
	grpcSaid  = call.Outcome{Err: errLost, Code: call.Unavailable, Received: true}
	grpcFault = call.Outcome{Err: errLost, Code: call.Internal, Received: true}
)

// TestSplitLocalOrigin: answers and the lack of them are counted apart.
func TestSplitLocalOrigin(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(*resilience.Outlier)
		seen []call.Outcome
		want string // the reason; empty: not ejected
	}{
		{"five broken", nil, []call.Outcome{broken, refused, late, broken, broken}, call.ConsecutiveLocalOrigin},
		{"an answer between", nil, []call.Outcome{broken, broken, broken, broken, http200, broken}, ""},
		{"a bad answer between", nil, []call.Outcome{broken, broken, broken, broken, http500, broken}, ""},
		{"bad answers are no matter of the way there", nil, []call.Outcome{http500, http500, http500, http500, http500}, call.Consecutive5xx},
		{"broken ones do not end a row of bad answers", nil, []call.Outcome{http500, http500, http500, http500, broken, http500}, call.Consecutive5xx},
		{"what grpc servers say", nil, []call.Outcome{grpcSaid, grpcFault, grpcSaid, grpcFault, grpcSaid}, call.Consecutive5xx},
		{"two", func(o *resilience.Outlier) { o.ConsecutiveLocalOrigin = 2 }, []call.Outcome{late, late}, call.ConsecutiveLocalOrigin},
		{"off", func(o *resilience.Outlier) { o.ConsecutiveLocalOrigin = -1 }, []call.Outcome{late, late, late, late, late, late}, ""},
		{"gateway sees answers only", func(o *resilience.Outlier) {
			o.ConsecutiveGateway, o.Consecutive5xx, o.ConsecutiveLocalOrigin = 3, -1, -1
		}, []call.Outcome{broken, broken, broken, http503, http503}, ""},
		{"not split", func(o *resilience.Outlier) { o.SplitLocalOrigin = false }, []call.Outcome{broken, http500, late, grpcSaid, refused}, call.Consecutive5xx},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := outlier(func(o *resilience.Outlier) { o.SplitLocalOrigin = true })
			if tt.set != nil {
				tt.set(p.Outlier)
			}
			inBubble(t, p, three, func(t *testing.T, r *rig) {
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

// TestSplitRates: each kind has rates of its own, with a chance of its own.
func TestSplitRates(t *testing.T) {
	rates := func(enforce, local int) func(*resilience.Outlier) {
		s := rated(&resilience.SuccessRate{Enforce: enforce, EnforceLocal: local}, nil)
		return func(o *resilience.Outlier) {
			s(o)
			o.SplitLocalOrigin, o.ConsecutiveLocalOrigin = true, -1
		}
	}
	percent := func(o *resilience.Outlier) {
		rated(nil, &resilience.FailurePercent{})(o)
		o.SplitLocalOrigin, o.ConsecutiveLocalOrigin = true, -1
	}
	for _, tt := range []struct {
		name string
		set  func(*resilience.Outlier)
		bad  call.Outcome
		want string
	}{
		{"answers", rates(0, -1), http500, call.SuccessRate},
		{"no answers", rates(-1, 0), broken, call.SuccessRateLocal},
		{"answers, not enforced", rates(-1, 0), http500, ""},
		{"no answers, not enforced", rates(0, -1), broken, ""},
		{"percentage of answers", percent, http500, call.FailurePercentage},
		{"percentage without an answer", percent, broken, call.FailurePercentageLocal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, outlier(tt.set), named(5), func(t *testing.T, r *rig) {
				for _, addr := range named(5) {
					r.judge(addr, http200, 100)
				}
				r.judge("e3:1", tt.bad, 900)
				time.Sleep(10 * time.Second)
				r.judge("e0:1", http200, 1)
				if got := r.node("e3:1").Ejected(); got != (tt.want != "") {
					t.Fatalf("ejected: %t", got)
				}
				if tt.want != "" && r.events[0].Reason != tt.want {
					t.Errorf("%+v", r.events[0])
				}
			})
		})
	}
}

// TestEnforce: chance spares an endpoint, its row begins anew, and that is told once an interval.
func TestEnforce(t *testing.T) {
	set := func(o *resilience.Outlier) {
		o.Enforce5xx, o.ConsecutiveGateway, o.EnforceGateway = 30, 5, -1
	}
	inBubble(t, outlier(set), three, func(t *testing.T, r *rig) {
		draws := []int{99, 99, 30, 30, 31, 31, 29}
		r.dest().outliers.chance = func() (n int) {
			n, draws = draws[0], draws[1:]
			return n
		}
		r.judge("a:1", http503, 5) // both ways of detection draw
		r.judge("a:1", http500, 4)
		if got := r.ejected(); got != nil {
			t.Fatal(got)
		}
		if e := r.events[0]; len(r.events) != 1 || e.Kind != call.EndpointSuspected || e.Endpoint != "a:1" || e.Reason != call.Consecutive5xx {
			t.Fatalf("%+v", r.events)
		}
		r.judge("a:1", http500, 6) // 30 is not under 30
		time.Sleep(10 * time.Second)
		r.judge("a:1", http500, 5)
		r.wantHeard(call.EndpointSuspected, call.EndpointSuspected)
		r.judge("a:1", http500, 5) // 31
		r.judge("a:1", http500, 4)
		r.wantHeard()
		draws = []int{29}
		r.judge("a:1", http500, 1)
		r.wantHeard(call.EndpointEjected)
	})
}

// TestEnforceShare: over many, the share that is ejected is what the policy says. 20,000 draws at 25 % have a standard
// deviation of 0.31 %; 2 % is more than six of them.
func TestEnforceShare(t *testing.T) {
	set := func(o *resilience.Outlier) { o.Consecutive5xx, o.Enforce5xx = 1, 25 }
	inBubble(t, outlier(set), three, func(t *testing.T, r *rig) {
		o, n := r.dest().outliers, r.node("a:1")
		p := o.policy.Load()
		rnd := rand.New(rand.NewPCG(1, 2))
		o.chance = func() int { return rnd.IntN(100) }
		var out int
		for range 20_000 {
			o.mu.Lock()
			if o.enforced(n, p, call.Consecutive5xx, p.Enforce5xx) {
				out++
			}
			o.mu.Unlock()
		}
		if out < 4600 || out > 5400 {
			t.Errorf("%d of 20,000", out)
		}
	})
}
