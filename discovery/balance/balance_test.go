package balance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestUnknownAlgorithmIsNamed(t *testing.T) {
	_, err := New(Config{Algorithm: "fastest"}, even(2))
	if err == nil || !strings.Contains(err.Error(), `"fastest"`) || !strings.Contains(err.Error(), string(RoundRobin)) {
		t.Fatalf("got %v", err)
	}
}

func TestEmptyAlgorithmIsLeastRequest(t *testing.T) {
	if p := must(t, "", even(1)); fmt.Sprintf("%T", p) != "*balance.leastRequest" {
		t.Fatalf("got %T", p)
	}
}

func TestNoNodes(t *testing.T) {
	for _, a := range algorithms {
		if i := must(t, a, nil).Pick(rand.Uint64(), nil); i != -1 {
			t.Errorf("%s: picked %d of no nodes", a, i)
		}
	}
}

func TestSingleNode(t *testing.T) {
	for _, a := range algorithms {
		p := must(t, a, even(1))
		if i := p.Pick(rand.Uint64(), nil); i != 0 {
			t.Errorf("%s: picked %d of one node", a, i)
		}
		if i := p.Pick(rand.Uint64(), only{}); i != -1 {
			t.Errorf("%s: picked %d where none is usable", a, i)
		}
	}
}

// The one property of all pickers: what they pick is usable, and where anything is usable they pick. 400 lists of up to
// 40 nodes with all mixtures of weights and filters, 50 picks each.
func TestPicksAreUsable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		n := 1 + r.IntN(40)
		weights, usable := make([]uint32, n), make(mask, n)
		some := false
		level := r.Float64() * r.Float64()
		for i := range weights {
			weights[i] = randomWeight(r)
			usable[i] = r.Float64() < level
			some = some || usable[i]
		}
		for _, a := range algorithms {
			p := mustBy(t, Config{Algorithm: a, RingMax: 2048, TableSize: 251}, weighted(weights...))
			for range 50 {
				if i := p.Pick(rand.Uint64(), usable); (i >= 0) != some || some && !usable[i] {
					t.Fatalf("%s: picked %d with weights %v, usable %v", a, i, weights, usable)
				}
			}
		}
	}
}

func randomWeight(r *rand.Rand) uint32 {
	return [...]uint32{0, 1, 1, 1 + r.Uint32N(10), 1 + r.Uint32N(1000), math.MaxUint32}[r.IntN(6)]
}

// The only usable node is found among many, wherever it stands, and however little it weighs.
func TestTheLastUsableNodeIsFound(t *testing.T) {
	const n = 1000
	heavy := make([]uint32, n)
	for i := range heavy {
		heavy[i] = math.MaxUint32
	}
	for _, a := range algorithms {
		for _, at := range []int{0, 1, n / 2, n - 1} {
			weights := append([]uint32(nil), heavy...)
			weights[at] = 1
			for _, nodes := range [][]*Node{even(n), weighted(weights...)} {
				if i := must(t, a, nodes).Pick(rand.Uint64(), only{at: true}); i != at {
					t.Errorf("%s: picked %d, only %d is usable", a, i, at)
				}
			}
		}
	}
}

// Every node at the largest weight: sums and products stay within 64 bits, and all are drawn alike. 100,000 picks of
// 100 nodes, where the test adds one node of weight 1 so that the weights differ; 6 standard deviations. Placing by keys
// rounds: there a node is within 25 % (of 649 places on a ring, 4 % are a standard deviation, and 3 % of 1000 picks), and
// the light one has an entry, of 65,537.
func TestHugeWeights(t *testing.T) {
	weights := make([]uint32, 101)
	for i := range weights {
		weights[i] = math.MaxUint32
	}
	weights[50] = 1
	for _, a := range algorithms {
		p := must(t, a, weighted(weights...))
		counts := make([]int, len(weights))
		r := rand.New(rand.NewPCG(21, 22))
		for range 100_000 {
			counts[p.Pick(r.Uint64(), nil)]++
		}
		t.Run(string(a), func(t *testing.T) {
			if !a.Keyed() {
				proportions(t, counts, weights, 6)
				return
			}
			for i, got := range counts {
				if i == 50 && got > 20 || i != 50 && (got < 750 || got > 1250) {
					t.Errorf("node %d has %d of 100000 picks", i, got)
				}
			}
		})
	}
}

func TestPicksDoNotAllocate(t *testing.T) {
	weights := []uint32{1, 2, 3, 4, 5, 6, 7, 1000}
	half := mask{true, false, true, false, true, false, true, false}
	last := mask{7: true}
	for _, a := range algorithms {
		for _, nodes := range [][]*Node{even(8), weighted(weights...)} {
			nodes[0].Fail()
			p := must(t, a, nodes)
			for name, f := range map[string]Filter{"no filter": nil, "half": half, "one": last} {
				if got := testing.AllocsPerRun(1000, func() { p.Pick(rand.Uint64(), f) }); got != 0 {
					t.Errorf("%s, %s: %v allocations a pick", a, name, got)
				}
			}
		}
	}
}
