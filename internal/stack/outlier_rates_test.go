package stack

import (
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// TestThreshold: calculated by hand. The first row is the example of Envoy's own code, and of its documentation's formula
// (mean - stdev * factor, of the population).
func TestThreshold(t *testing.T) {
	for _, tt := range []struct {
		success []float64
		factor  float64
		want    float64
	}{
		{[]float64{50, 100, 100, 100, 100}, 1.9, 52},                             // mean 90, variance 400
		{[]float64{50, 100, 100, 100, 100}, 1, 70},                               // one deviation is 20
		{[]float64{100, 100, 100, 100, 80}, 1.9, 80.8},                           // mean 96, variance 64
		{[]float64{90, 90, 90, 90, 10}, 1.9, 13.2},                               // mean 74, variance 1024
		{[]float64{0, 0, 100, 100, 100}, 1.9, 60 - 1.9*48.98979485566356},        // variance 2400
		{[]float64{70, 80, 90, 100, 100}, 1.9, 88 - 1.9*11.661903789690601},      // variance 136
		{[]float64{100, 100, 100, 100, 100, 100, 100, 100, 100, 99}, 1.9, 99.33}, // mean 99.9, variance 0.09
		{[]float64{60, 60, 60, 60, 60}, 1.9, 60},                                 // all alike: nobody is under the mean
	} {
		var rates []rate
		for _, s := range tt.success {
			rates = append(rates, rate{success: s})
		}
		if got := threshold(rates, tt.factor); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%v x %v: %v, want %v", tt.success, tt.factor, got, tt.want)
		}
	}
}

// rated is outlier detection by rates alone, that ejects as many as it finds but one.
func rated(s *resilience.SuccessRate, f *resilience.FailurePercent) func(*resilience.Outlier) {
	return func(o *resilience.Outlier) {
		o.Consecutive5xx, o.MaxPercent, o.MinHealthPercent, o.SuccessRate, o.FailurePercent = -1, 100, -1, s, f
	}
}

// interval has each endpoint answer so many attempts, of which so many fail, and then lets the interval end.
func (r *rig) interval(attempts, failures []int) {
	r.t.Helper()
	for i, addr := range named(len(attempts)) {
		r.judge(addr, http500, failures[i])
		r.judge(addr, http200, attempts[i]-failures[i])
	}
	time.Sleep(10*time.Second - 1)
	r.judge("e0:1", http200, 1)
	if got := r.ejected(); got != nil {
		r.t.Fatalf("%v out before the end of the interval", got)
	}
	time.Sleep(1)
	r.judge("e0:1", http200, 1)
}

// TestSuccessRate: shares that are calculated by hand, and the numbers of hosts and requests that it takes.
func TestSuccessRate(t *testing.T) {
	all := []int{100, 100, 100, 100, 100}
	for _, tt := range []struct {
		name               string
		set                resilience.SuccessRate
		attempts, failures []int
		want               []string
	}{
		{"one of five is under 52", resilience.SuccessRate{}, all, []int{0, 50, 0, 0, 0}, []string{"e1:1"}},
		{"80 is under 80.8", resilience.SuccessRate{}, all, []int{0, 0, 20, 0, 0}, []string{"e2:1"}},
		{"all as bad", resilience.SuccessRate{}, all, []int{90, 90, 90, 90, 90}, nil},
		{"two of five hide behind their own deviation", resilience.SuccessRate{}, all, []int{0, 0, 0, 99, 99}, nil},
		{"two of five by a smaller factor", resilience.SuccessRate{StdevFactor: 1}, all, []int{0, 0, 0, 99, 99}, []string{"e3:1", "e4:1"}},
		{"99 requests", resilience.SuccessRate{}, []int{100, 99, 100, 100, 100}, []int{0, 50, 0, 0, 0}, nil},
		{"99 are enough", resilience.SuccessRate{MinRequests: 99}, []int{100, 99, 100, 100, 100}, []int{0, 50, 0, 0, 0}, []string{"e1:1"}},
		{"four hosts", resilience.SuccessRate{}, all[:4], []int{0, 99, 0, 0}, nil},
		{"four are enough", resilience.SuccessRate{MinHosts: 4, StdevFactor: 1.5}, all[:4], []int{0, 99, 0, 0}, []string{"e1:1"}},
		{"not enforced", resilience.SuccessRate{Enforce: -1}, all, []int{0, 50, 0, 0, 0}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, outlier(rated(&tt.set, nil)), named(len(tt.attempts)), func(t *testing.T, r *rig) {
				r.interval(tt.attempts, tt.failures)
				if got := r.ejected(); !slices.Equal(got, tt.want) {
					t.Errorf("%v out, want %v", got, tt.want)
				}
				for _, e := range r.events {
					if e.Kind == call.EndpointEjected && (e.Reason != call.SuccessRate || e.For != 30*time.Second || e.Ctx == nil) {
						t.Errorf("%+v", e)
					}
				}
			})
		})
	}
}

// TestFailurePercent: from 85 % on, whatever the others do.
func TestFailurePercent(t *testing.T) {
	all := []int{100, 100, 100, 100, 100}
	for _, tt := range []struct {
		name               string
		set                resilience.FailurePercent
		attempts, failures []int
		want               []string
	}{
		{"85", resilience.FailurePercent{}, all, []int{0, 85, 0, 84, 0}, []string{"e1:1"}},
		{"several, but the last one", resilience.FailurePercent{}, all, []int{85, 95, 90, 99, 100}, []string{"e1:1", "e2:1", "e3:1", "e4:1"}},
		{"at 50", resilience.FailurePercent{Threshold: 50}, all, []int{0, 49, 50, 51, 0}, []string{"e2:1", "e3:1"}},
		{"49 requests", resilience.FailurePercent{}, []int{100, 49, 100, 100, 100}, []int{0, 49, 0, 0, 0}, nil},
		{"50 requests of one, 49 of another", resilience.FailurePercent{MinHosts: 1}, []int{0, 50, 49, 0, 0}, []int{0, 50, 49, 0, 0}, []string{"e1:1"}},
		{"not enforced", resilience.FailurePercent{Enforce: -1}, all, []int{0, 100, 0, 0, 0}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, outlier(rated(nil, &tt.set)), named(5), func(t *testing.T, r *rig) {
				r.interval(tt.attempts, tt.failures)
				if got := r.ejected(); !slices.Equal(got, tt.want) {
					t.Errorf("%v out, want %v", got, tt.want)
				}
				for _, e := range r.events {
					if e.Kind == call.EndpointEjected && e.Reason != call.FailurePercentage {
						t.Errorf("%+v", e)
					}
				}
			})
		})
	}
}

// TestRatesSurvive: a change of policy in the middle of an interval forgets nothing, unless rates are switched off and on.
func TestRatesSurvive(t *testing.T) {
	with := func(n int) resilience.Policy {
		return outlier(rated(nil, &resilience.FailurePercent{MinHosts: 1}), func(o *resilience.Outlier) { o.ConsecutiveGateway = n })
	}
	for name, off := range map[string]bool{"on": false, "off and on": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, with(0), named(5), func(t *testing.T, r *rig) {
				r.judge("e1:1", http500, 50)
				if off {
					r.c.SetResilience(resilience.Config{Default: outlier()})
				}
				r.c.SetResilience(resilience.Config{Default: with(9)})
				time.Sleep(10 * time.Second)
				r.judge("e0:1", http200, 1)
				if got := r.node("e1:1").Ejected(); got == off {
					t.Errorf("ejected: %t", got)
				}
			})
		})
	}
}

// TestRatesOfOneInterval: what is older than the interval before does not count, and neither does what was counted before an
// endpoint was ejected.
func TestRatesOfOneInterval(t *testing.T) {
	p := outlier(rated(nil, &resilience.FailurePercent{MinHosts: 1}), func(o *resilience.Outlier) { o.Consecutive5xx = 60 })
	inBubble(t, p, named(5), func(t *testing.T, r *rig) {
		r.judge("e1:1", http500, 30)
		time.Sleep(10 * time.Second)
		r.judge("e1:1", http500, 29) // 30 in the first interval, 29 in the second
		time.Sleep(25 * time.Second)
		r.judge("e0:1", http200, 1)
		if got := r.ejected(); got != nil {
			t.Fatalf("%v out", got)
		}
		r.judge("e1:1", http500, 1)
		if got := r.ejected(); !slices.Equal(got, []string{"e1:1"}) { // by the row
			t.Fatalf("%v out", got)
		}
		time.Sleep(30 * time.Second)
		for r.node("e1:1").Ejected() {
			r.do()
		}
		time.Sleep(10 * time.Second)
		r.do()
		if got := r.ejected(); got != nil {
			t.Errorf("%v out by what was counted before", got)
		}
	})
}

// TestRatesAllocations: counting costs no allocation.
func TestRatesAllocations(t *testing.T) {
	p := outlier(rated(&resilience.SuccessRate{}, &resilience.FailurePercent{}), func(o *resilience.Outlier) { o.SplitLocalOrigin = true })
	inBubble(t, p, three, func(t *testing.T, r *rig) {
		a, n := r.attempt(), r.node("a:1")
		at := &call.Attempt{Outcome: http200, Took: time.Millisecond}
		if got := testing.AllocsPerRun(1000, func() { a.Judge(n, call.Success, at) }); got != 0 {
			t.Errorf("%v", got)
		}
	})
}

// BenchmarkReview is one look at an interval, every 10 s, on the goroutine of one call.
func BenchmarkReview(b *testing.B) {
	p := outlier(rated(&resilience.SuccessRate{}, &resilience.FailurePercent{})).Outlier.OrDefault()
	for _, count := range []int{10, 1000, 100_000} {
		b.Run(named(count + 1)[count], func(b *testing.B) {
			o := newOutliers("orders", &events{log: slog.New(slog.DiscardHandler)})
			o.policy.Store(&p)
			for range count {
				o.nodes = append(o.nodes, newNode(discoveryEndpoint, &Destination{outliers: o}))
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, n := range o.nodes {
					n.answers.both.Store(200 << attemptsShift)
				}
				o.review(b.Context(), &p)
			}
		})
	}
}
