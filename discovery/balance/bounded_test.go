package balance

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

var boundedConfigs = []Config{
	{Algorithm: RingHash, BoundedLoad: 1.25, RingMax: 1 << 16}, {Algorithm: Maglev, BoundedLoad: 1.25},
	{Algorithm: RingHash, BoundedLoad: 2, RingMax: 1 << 16}, {Algorithm: Maglev, BoundedLoad: 1},
}

// One key that is hotter than all does not fill one node: no node has more than its slots and the call that fills them,
// as long as any is not full. 300 calls in flight of one key, 20 nodes.
func TestBoundedLoadOfOneKey(t *testing.T) {
	for _, c := range boundedConfigs {
		nodes := even(20)
		p := mustBy(t, c, nodes)
		for range 300 {
			nodes[p.Pick(42, nil)].Begin()
		}
		slots := math.Ceil(math.Ceil(301*c.BoundedLoad) / 20)
		if c.BoundedLoad == 1 {
			slots++ // nearly all are full: those that are looked at may all be
		}
		for i, n := range nodes {
			if float64(n.InFlight()) > slots+1 {
				t.Errorf("%+v: node %d has %d calls, of %v at most", c, i, n.InFlight(), slots)
			}
		}
	}
}

// Ten keys that are hotter than their own 16 other nodes can bear go on to all of 1000 nodes: 10,000 calls in flight.
func TestBoundedLoadOfFewKeys(t *testing.T) {
	nodes := even(1000)
	p := mustBy(t, Config{Algorithm: Maglev, BoundedLoad: 1.25}, nodes)
	for k := range uint64(10_000) {
		nodes[p.Pick(mix(k%10), nil)].Begin()
	}
	over := 0
	for _, n := range nodes {
		over += int(max(n.InFlight()-14, 0)) // 12.5, rounded up, and the call that fills it
	}
	if over > 10 {
		t.Errorf("%d of 10000 calls are beyond the bound", over)
	}
}

// By weights: of 400 calls of one key, at a bound of 1.25, the node of weight 3 of 6 has 250 at most.
func TestBoundedLoadFollowsWeights(t *testing.T) {
	nodes := weighted(1, 2, 3)
	p := mustBy(t, Config{Algorithm: Maglev, BoundedLoad: 1.25}, nodes)
	for range 400 {
		nodes[p.Pick(42, nil)].Begin()
	}
	for i, n := range nodes {
		if most := math.Ceil(502*float64(i+1)/6) + 1; float64(n.InFlight()) > most {
			t.Errorf("node %d has %d calls, of %v at most", i, n.InFlight(), most)
		}
	}
}

// As long as nodes are not full the keys are where they would be without a bound, and where they go from a full node is
// always the same.
func TestBoundedLoadKeepsPlaces(t *testing.T) {
	for _, c := range boundedConfigs {
		nodes := even(20)
		p := mustBy(t, c, nodes)
		c.BoundedLoad = 0
		free := mustBy(t, c, nodes)
		for key := range uint64(1000) {
			if got, want := p.Pick(mix(key), nil), free.Pick(mix(key), nil); got != want {
				t.Fatalf("%+v: an idle node's key went from %d to %d", c, want, got)
			}
		}
		full := free.Pick(7, nil)
		for range 100 {
			nodes[full].Begin()
		}
		second := p.Pick(7, nil)
		if second == full {
			t.Errorf("%+v: the full node was picked", c)
		}
		for range 100 {
			if got := p.Pick(7, nil); got != second {
				t.Fatalf("%+v: the key went to %d and to %d", c, second, got)
			}
		}
	}
}

// Two full nodes send their keys to many others, and not to the next on the ring.
func TestBoundedLoadDoesNotCascade(t *testing.T) {
	nodes := even(20)
	p := mustBy(t, Config{Algorithm: RingHash, BoundedLoad: 1.25}, nodes)
	for range 100 {
		nodes[3].Begin()
	}
	others := map[int]int{}
	free := mustBy(t, Config{Algorithm: RingHash}, nodes)
	moved := 0
	for k := range uint64(20_000) {
		if key := mix(k); free.Pick(key, nil) == 3 {
			others[p.Pick(key, nil)]++
			moved++
		}
	}
	if len(others) != 19 {
		t.Errorf("the keys went to %d nodes, expected 19", len(others))
	}
	for i, n := range others {
		if n > moved/19*2 {
			t.Errorf("node %d got %d of %d keys", i, n, moved)
		}
	}
}

// Filters go before bounds: the only usable node is picked however full it is.
func TestBoundedLoadOfTheLast(t *testing.T) {
	for _, c := range boundedConfigs {
		nodes := even(5)
		p := mustBy(t, c, nodes)
		for range 1000 {
			nodes[2].Begin()
		}
		if got := p.Pick(rand.Uint64(), only{2: true}); got != 2 {
			t.Errorf("%+v: picked %d", c, got)
		}
		if got := p.Pick(rand.Uint64(), only{}); got != -1 {
			t.Errorf("%+v: picked %d of none", c, got)
		}
	}
}

// The tally is the sum of the calls in flight, those from before the first picker included, whatever begins and ends while
// nodes join it, and across pickers.
func TestTally(t *testing.T) {
	for range 20 {
		nodes := even(8)
		for _, n := range nodes {
			n.Begin()
		}
		var wg sync.WaitGroup
		for _, n := range nodes {
			wg.Go(func() {
				for k := range 2000 {
					n.Begin()
					if k%4 > 0 {
						n.End()
					}
				}
			})
		}
		first := tally(nodes[:5])
		second := tally(nodes)
		wg.Wait()
		if first != second {
			t.Fatal("the next picker has another tally")
		}
		if got := first.Load(); got != 8*501 || nodes[7].InFlight() != 501 {
			t.Fatalf("the tally is %d, and node 7 has %d, expected 4008 and 501", got, nodes[7].InFlight())
		}
		for _, n := range nodes {
			for range 501 {
				n.End()
			}
		}
		if got := first.Load(); got != 0 {
			t.Fatalf("all calls are over, the tally is %d", got)
		}
	}
}

func TestBoundedPicksDoNotAllocate(t *testing.T) {
	nodes := even(8)
	p := mustBy(t, Config{Algorithm: Maglev, BoundedLoad: 1.25}, nodes)
	for range 100 {
		nodes[p.Pick(1, nil)].Begin()
	}
	key := uint64(0)
	var some Filter = mask{1: true, 5: true, 7: true, 8: false}
	if got := testing.AllocsPerRun(1000, func() { key++; p.Pick(key, some) }); got != 0 {
		t.Errorf("%v allocations a pick", got)
	}
}
