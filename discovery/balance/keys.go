package balance

import (
	"math/bits"
	"slices"
	"strings"
)

// hashKey is what stands for the node where keys are placed: its address as Envoy writes it.
func (n *Node) hashKey() string { return strings.TrimPrefix(n.addr, "unix:") }

// named is a node of a list and what stands for it.
type named struct {
	key  string
	node int32
}

// byKey are the nodes in the order of their hash keys: the same list makes the same ring and table in whatever order it
// comes.
func (l *list) byKey() []named {
	order := make([]named, len(l.nodes))
	for i, n := range l.nodes {
		order[i] = named{n.hashKey(), int32(i)}
	}
	slices.SortFunc(order, func(a, b named) int { return strings.Compare(a.key, b.key) })
	return order
}

// normalized are the weights as shares of their sum, and the least of them.
func (l *list) normalized() (weights []float64, least float64) {
	var sum uint64
	weights = make([]float64, len(l.nodes))
	for i, n := range l.nodes {
		share := n.Share()
		sum += uint64(share)
		weights[i] = float64(share)
	}
	least = 1
	for i := range weights {
		weights[i] /= float64(sum)
		least = min(least, weights[i])
	}
	return weights, least
}

// spread is a place in the list that a key decides, however uneven the keys are.
func (l *list) spread(key uint64) int {
	i, _ := bits.Mul64(mix(key), uint64(len(l.nodes)))
	return int(i)
}

// mix is the finalizer of SplitMix64 (Steele and others, 2014): each bit of x decides half of all bits.
func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
