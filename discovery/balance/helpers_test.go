package balance

import (
	"fmt"
	"math"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// weighted makes one node for each weight.
func weighted(weights ...uint32) []*Node {
	nodes := make([]*Node, len(weights))
	for i, w := range weights {
		nodes[i] = NewNode(discovery.Endpoint{Addr: fmt.Sprintf("10.0.0.%d:80", i), Weight: w})
	}
	return nodes
}

// even makes n nodes of one weight.
func even(n int) []*Node { return weighted(make([]uint32, n)...) }

func must(t testing.TB, a Algorithm, nodes []*Node) Picker {
	t.Helper()
	return mustBy(t, Config{Algorithm: a, RingMax: 1 << 16}, nodes) // weights that differ widely make large rings
}

func mustBy(t testing.TB, c Config, nodes []*Node) Picker {
	t.Helper()
	p, err := New(c, nodes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// only lets the listed indexes pass.
type only map[int]bool

func (o only) Usable(i int) bool { return o[i] }

// mask lets those pass whose entry is true; unlike a map it costs nothing worth measuring.
type mask []bool

func (m mask) Usable(i int) bool { return m[i] }

var algorithms = Algorithms()

// at makes a node for each address, of the weights that are given and else of 1.
func at(addrs []string, weights ...uint32) []*Node {
	nodes := make([]*Node, len(addrs))
	for i, a := range addrs {
		e := discovery.Endpoint{Addr: a}
		if i < len(weights) {
			e.Weight = weights[i]
		}
		nodes[i] = NewNode(e)
	}
	return nodes
}

// ports are addresses 127.0.0.1 with the ports.
func ports(ports ...int) []string {
	addrs := make([]string, len(ports))
	for i, p := range ports {
		addrs[i] = fmt.Sprintf("127.0.0.1:%d", p)
	}
	return addrs
}

// proportions fails where a count is off its expected share by more than sigmas standard deviations of a binomial draw.
func proportions(t *testing.T, counts []int, weights []uint32, sigmas float64) {
	t.Helper()
	var picks int
	var total float64
	for i := range counts {
		picks += counts[i]
		total += float64(weights[i])
	}
	for i, got := range counts {
		share := float64(weights[i]) / total
		want := share * float64(picks)
		if off := math.Abs(float64(got) - want); off > sigmas*math.Sqrt(want*(1-share))+1 {
			t.Errorf("node %d of weight %d: %d of %d picks, expected %.0f", i, weights[i], got, picks, want)
		}
	}
}
