package balance

import (
	"math"
	"sync"
	"testing"
)

func TestRoundRobinTakesTurns(t *testing.T) {
	p := newRoundRobin(list{nodes: even(7)}, nil)
	first := p.Pick(0, nil)
	for k := 1; k < 1000; k++ {
		if i := p.Pick(0, nil); i != (first+k)%7 {
			t.Fatalf("pick %d is node %d, expected %d", k, i, (first+k)%7)
		}
	}
}

// Weights are kept almost exactly, not only on average: after N turns each node is within 8 turns of its share. (The
// golden ratio's bound is logarithmic: about 0.3 ln N + 1 for one interval's end.)
func TestRoundRobinFollowsWeights(t *testing.T) {
	for _, weights := range [][]uint32{
		{1, 3}, {1, 2, 3}, {5, 4, 1}, {1, 100}, {1, 1, 1, 1000}, {7, 11, 13, 17, 19, 23}, {1, math.MaxUint32},
	} {
		p := newRoundRobin(list{nodes: weighted(weights...)}, nil)
		counts := make([]int, len(weights))
		var total float64
		for _, w := range weights {
			total += float64(w)
		}
		for n := 1; n <= 50_000; n++ {
			counts[p.Pick(0, nil)]++
			for i, w := range weights {
				if want := float64(n) * float64(w) / total; math.Abs(float64(counts[i])-want) > 8 {
					t.Fatalf("weights %v: node %d has %d of %d turns, its share is %.1f", weights, i, counts[i], n, want)
				}
			}
		}
	}
}

// No bursts: a node of share s waits at most 3/s+1 turns. (The longest of the three distances between hits of an
// interval is under 2.62/s for the golden ratio.)
func TestRoundRobinIsSmooth(t *testing.T) {
	for _, weights := range [][]uint32{{1, 2, 3}, {5, 1, 1}, {1, 1, 2, 4, 8}, {10, 1}} {
		p := newRoundRobin(list{nodes: weighted(weights...)}, nil)
		total := 0
		for _, w := range weights {
			total += int(w)
		}
		last := make([]int, len(weights))
		for n := 1; n <= 20_000; n++ {
			last[p.Pick(0, nil)] = n
			for i, w := range weights {
				if wait := n - last[i]; wait > 3*total/int(w)+1 {
					t.Fatalf("weights %v: node %d waits for %d turns", weights, i, wait)
				}
			}
		}
	}
}

// Whoever stands behind a run of unusable nodes does not get their calls: each of the usable ones gets the same.
func TestRoundRobinPassesOverEvenly(t *testing.T) {
	usable := mask{true, false, false, false, true, true, true}
	p := newRoundRobin(list{nodes: even(7)}, nil)
	counts := make([]int, 7)
	for range 4000 {
		counts[p.Pick(0, usable)]++
	}
	for i, got := range counts {
		if usable[i] != (got > 0) || usable[i] && (got < 999 || got > 1001) {
			t.Errorf("node %d (usable %v): %d of 4000 picks", i, usable[i], got)
		}
	}
}

// Clients start at different places: 64 pickers on 64 nodes that all begin with one node would be a chance of 64^-63.
func TestRoundRobinStartsAnywhere(t *testing.T) {
	seen := map[int]bool{}
	for range 64 {
		seen[newRoundRobin(list{nodes: even(64)}, nil).Pick(0, nil)] = true
	}
	if len(seen) < 2 {
		t.Error("all pickers start at the same node")
	}
}

// Turns are dealt once each, however many goroutines ask.
func TestRoundRobinConcurrently(t *testing.T) {
	p := newRoundRobin(list{nodes: even(10)}, nil)
	counts := make([][10]int, 8)
	var wg sync.WaitGroup
	for g := range counts {
		wg.Go(func() {
			for range 1000 {
				counts[g][p.Pick(0, nil)]++
			}
		})
	}
	wg.Wait()
	for i := range 10 {
		sum := 0
		for g := range counts {
			sum += counts[g][i]
		}
		if sum != 800 {
			t.Errorf("node %d: %d of 8000 turns", i, sum)
		}
	}
}

// The line of lanes gives what a plain search gives, at every end of a lane and around it.
func TestLanes(t *testing.T) {
	for _, weights := range [][]uint32{{1, 2}, {1, 2, 3}, {1, 1, 1, 1, 1000}, {1000, 1, 1, 1, 1}, {3, 1000, 1, 7}} {
		l := newLanes(weighted(weights...))
		total := l.ends[len(l.ends)-1]
		for place := range total {
			want := 0
			for l.ends[want] <= place {
				want++
			}
			x := uint64((float64(place) + 0.5) / float64(total) * math.MaxUint64)
			if got := l.at(x); got != want {
				t.Fatalf("weights %v: place %d is in lane %d, expected %d", weights, place, got, want)
			}
		}
		if got := l.at(math.MaxUint64); got != len(weights)-1 {
			t.Errorf("weights %v: the line ends in lane %d", weights, got)
		}
	}
}
