package balance

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// Both algorithms that heed slow start.
var warming = []Algorithm{LeastRequest, RoundRobin}

// share is the part of 60,000 picks that node i gets.
func share(p Picker, i int) float64 {
	got := 0
	for range 60_000 {
		if p.Pick(0, nil) == i {
			got++
		}
	}
	return float64(got) / 60_000
}

// A node that joins three others has f/(3+f) of the calls, where f grows from a tenth to 1 along a line over the window.
// The tolerance is 0.01, more than 5 standard deviations.
func TestSlowStart(t *testing.T) {
	for _, a := range warming {
		for name, weights := range map[string][]uint32{"even": {1, 1, 1, 1}, "weighted": {7, 7, 7, 8}} {
			t.Run(string(a)+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					nodes := weighted(weights...)
					time.Sleep(time.Hour)
					nodes[3] = NewNode(discovery.Endpoint{Addr: "new:80", Weight: weights[3]})
					p := mustBy(t, Config{Algorithm: a, SlowStart: &SlowStart{Window: 100 * time.Second}}, nodes)
					for _, step := range []struct{ age, factor float64 }{{0, 0.1}, {5, 0.1}, {25, 0.25}, {50, 0.5}, {75, 0.75}, {100, 1}, {1000, 1}} {
						nodes[3].born.Store(now() - int64(step.age*float64(time.Second)))
						w := float64(weights[3]) * step.factor
						want := w / (w + 3*float64(weights[0]))
						if got := share(p, 3); math.Abs(got-want) > 0.01 {
							t.Errorf("after %v s: %.3f of the calls, expected %.3f", step.age, got, want)
						}
					}
				})
			})
		}
	}
}

// Envoy's formula: max(least, (age/window)^(1/aggression)).
func TestWarmupFactor(t *testing.T) {
	for _, tt := range []struct{ percent, aggression, age, want float64 }{
		{0, 0, 0, 0.1}, {0, 0, 30, 0.5}, {0, 0, 60, 1}, {0, 0, 61, 1}, {50, 0, 6, 0.5}, {50, 0, 45, 0.75}, {100, 0, 0, 1},
		{0, 2, 15, 0.5}, {0, 0.5, 30, 0.25}, {1, 0.5, 3, 0.01}, {0, 1, 3, 0.1}, {0, 0, -1, 0.1},
	} {
		w := newWarmup(&SlowStart{time.Minute, tt.percent, tt.aggression}, even(1))
		if got := w.at(int64(tt.age * float64(time.Second))); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}

// Under load too: calls of equal length, 30 at once, the new of four nodes at a quarter has a 13th of them. Taking the less
// loaded of two alone would fill it as the others.
func TestSlowStartUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := even(4)
		time.Sleep(time.Hour)
		nodes[3].Join()
		time.Sleep(15 * time.Second)
		p := mustBy(t, Config{SlowStart: &SlowStart{Window: time.Minute}}, nodes)
		counts := flow(p, nodes, 30, 60_000)
		if got := float64(counts[3]) / 60_000; got < 0.05 || got > 0.11 {
			t.Errorf("the new node got %.3f of the calls, expected about 0.077", got)
		}
	})
}

// flow makes so many calls of equal length, so many at once: the oldest ends before the next begins.
func flow(p Picker, nodes []*Node, concurrency, calls int) []int {
	counts := make([]int, len(nodes))
	flight := make([]int, concurrency)
	for k := range calls {
		if k >= concurrency {
			nodes[flight[k%concurrency]].End()
		}
		i := p.Pick(0, nil)
		counts[i]++
		nodes[i].Begin()
		flight[k%concurrency] = i
	}
	return counts
}

// Where all are new nobody is passed over: each gets its share, at once.
func TestSlowStartOfAll(t *testing.T) {
	for _, a := range warming {
		synctest.Test(t, func(t *testing.T) {
			p := mustBy(t, Config{Algorithm: a, SlowStart: &SlowStart{Window: time.Hour}}, even(4))
			for i := range 4 {
				if got := share(p, i); math.Abs(got-0.25) > 0.01 {
					t.Errorf("%s: node %d has %.3f of the calls", a, i, got)
				}
			}
		})
	}
}

// A node that was away and comes back begins anew, in pickers that were made before too, while the window of the others is
// long over.
func TestJoinBeginsAnew(t *testing.T) {
	for _, a := range warming {
		synctest.Test(t, func(t *testing.T) {
			nodes := even(2)
			time.Sleep(time.Hour)
			p := mustBy(t, Config{Algorithm: a, SlowStart: &SlowStart{Window: time.Minute}}, nodes)
			if got := share(p, 1); math.Abs(got-0.5) > 0.01 {
				t.Errorf("%s: warm, it has %.3f of the calls", a, got)
			}
			nodes[1].Join()
			if got := share(p, 1); math.Abs(got-0.1/1.1) > 0.01 {
				t.Errorf("%s: back again, it has %.3f of the calls", a, got)
			}
			time.Sleep(time.Minute)
			if got := share(p, 1); math.Abs(got-0.5) > 0.01 {
				t.Errorf("%s: a minute later it has %.3f of the calls", a, got)
			}
		})
	}
}

// A new node that is the only usable one gets every call.
func TestSlowStartRefusesNobody(t *testing.T) {
	for _, a := range warming {
		for _, weights := range [][]uint32{{1, 1, 1}, {1, 2, 3}} {
			synctest.Test(t, func(t *testing.T) {
				nodes := weighted(weights...)
				time.Sleep(time.Hour)
				nodes[1].Join()
				p := mustBy(t, Config{Algorithm: a, SlowStart: &SlowStart{Window: time.Minute, MinPercent: 0.001}}, nodes)
				for range 100 {
					if got := p.Pick(0, only{1: true}); got != 1 {
						t.Fatalf("%s: picked %d", a, got)
					}
				}
			})
		}
	}
}

// The others ignore slow start, as in Envoy.
func TestSlowStartIsIgnored(t *testing.T) {
	nodes := even(2)
	nodes[0].born.Store(now() - int64(time.Hour))
	p := mustBy(t, Config{Algorithm: Random, SlowStart: &SlowStart{Window: time.Minute}}, nodes)
	if got := share(p, 1); math.Abs(got-0.5) > 0.02 {
		t.Errorf("the new node has %.3f of the calls", got)
	}
}

func TestSlowStartBesideJoins(t *testing.T) {
	nodes := even(4)
	p := mustBy(t, Config{SlowStart: &SlowStart{Window: time.Microsecond}}, nodes)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for range 2000 {
				nodes[g].Join()
				if p.Pick(0, nil) < 0 {
					t.Error("nothing picked")
				}
			}
		})
	}
	wg.Wait()
}
