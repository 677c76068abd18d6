package balance

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The tables of Envoy's own tests: test/extensions/load_balancing_policies/maglev/maglev_lb_test.cc, in Basic, SingleHost,
// Weighted and LocalityWeightedSameLocalityWeights (whose two localities of equal weight are two hosts of equal weight).
func TestMaglevIsEnvoys(t *testing.T) {
	for name, tt := range map[string]struct {
		nodes []*Node
		want  []int32
	}{
		"Basic":      {at(ports(90, 91, 92, 93, 94, 95)), []int32{2, 4, 0, 1, 5, 0, 3}},
		"SingleHost": {at(ports(90)), []int32{0, 0, 0, 0, 0, 0, 0}},
		"Weighted":   {at(ports(90, 91), 1, 2), []int32{1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1}},
		"LocalityWeightedSameLocalityWeights": {at(ports(90, 91)),
			[]int32{1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1}},
		"LocalityWeightedDifferentLocalityWeights": {at(ports(90, 91), 8, 2),
			[]int32{1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			m := mustBy(t, Config{Algorithm: Maglev, TableSize: len(tt.want)}, tt.nodes).(*maglev)
			if !slices.Equal(m.table, tt.want) {
				t.Errorf("got %v, expected %v", m.table, tt.want)
			}
			for key := range uint64(3 * len(tt.want)) {
				if got := m.Pick(key, nil); got != int(tt.want[key%uint64(len(tt.want))]) {
					t.Errorf("the key %d is node %d's", key, got)
				}
			}
		})
	}
}

// The heap of turns deals as Envoy's rounds do, in which every node is asked.
func TestTurnsAreRounds(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 200 {
		nodes := make([]uint32, 1+r.IntN(20))
		for i := range nodes {
			nodes[i] = 1 + r.Uint32N(1+r.Uint32N(500))
		}
		l := list{nodes: weighted(nodes...)}
		m := newMaglev(l, 499)
		if want := rounds(newTurns(&l, 499), 499); !slices.Equal(m.table, want) {
			t.Fatalf("weights %v:\n%v, expected\n%v", nodes, m.table, want)
		}
	}
}

// rounds fills a table the plain way.
func rounds(t *turns, size int) []int32 {
	table := make([]int32, size)
	for i := range table {
		table[i] = -1
	}
	for left, round := size, 1.0; left > 0; round++ {
		for i := range t.takers {
			p := &t.takers[i]
			if left == 0 || round*p.weight < p.next {
				continue
			}
			p.next += t.most
			for table[p.at] >= 0 {
				p.at = (p.at + p.skip) % size
			}
			table[p.at] = p.node
			left--
		}
	}
	return table
}

// No node is left without an entry where there are more nodes than the table was to have.
func TestMaglevGrowsWithTheList(t *testing.T) {
	for _, n := range []int{7, 8, 100} {
		m := mustBy(t, Config{Algorithm: Maglev, TableSize: 7}, even(n)).(*maglev)
		counts := make([]int, n)
		for _, i := range m.table {
			counts[i]++
		}
		if least := slices.Min(counts); least == 0 || n > 7 && (least < 4 || !isPrime(len(m.table))) {
			t.Errorf("%d nodes: a table of %d, the least has %d", n, len(m.table), least)
		}
	}
}

// Weights as far apart as can be: in Envoy's way the table would take 65537 rounds of 1000 nodes.
func TestMaglevWithFarWeights(t *testing.T) {
	weights := make([]uint32, 1000)
	for i := range weights {
		weights[i] = 1
	}
	weights[0] = math.MaxUint32
	m := mustBy(t, Config{Algorithm: Maglev}, weighted(weights...)).(*maglev)
	counts := make([]int, len(weights))
	for _, i := range m.table {
		counts[i]++
	}
	for i, n := range counts[1:] {
		if n != 1 {
			t.Errorf("node %d has %d entries", i+1, n)
		}
	}
}
