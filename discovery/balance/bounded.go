package balance

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
)

// placer places a key at a node of its list.
type placer interface {
	Picker
	// at is Pick as an index of the placer's own list.
	at(key uint64, f Filter) int
}

// bounded keeps nodes from getting much more than their fair share because of a few busy keys: a call whose node has over
// factor times its share of all calls in flight goes to another (Mirrokni and others, arXiv 1608.01350), to one that is
// the same for the key as long as it is not full either, and not the next on the ring, which would then be the next to
// fill (Chen and others, arXiv 1908.08762). The bound is Envoy's; its order of other nodes is another, made anew with each
// pick at a cost that grows with the list.
type bounded struct {
	list
	placer  placer
	percent uint64 // the factor
	weights []float64
	total   *atomic.Int64 // calls in flight at all nodes
}

func newBounded(l list, p placer, factor float64) *bounded {
	b := &bounded{list: l, placer: p, percent: uint64(math.Round(factor * 100)), total: tally(l.nodes)}
	b.weights, _ = l.normalized()
	if l.share > 0 {
		for i := range b.weights {
			b.weights[i] *= l.share
		}
	}
	return b
}

// Pick takes the key's node, another where that is full, and of nodes that are all full the least so.
func (b *bounded) Pick(key uint64, f Filter) int {
	first := b.placer.at(key, f)
	if first < 0 {
		return -1
	}
	slots := b.slots()
	least := b.fullness(first, slots)
	if least <= 1 {
		return b.id(first)
	}
	best := first
	for k := range uint64(ownProbes + anyProbes) {
		at := mix(key + k*golden)
		if k >= ownProbes {
			at = rand.Uint64()
		}
		i, full := b.probe(at, slots, f)
		if full <= 1 {
			return b.id(i)
		}
		if full < least {
			best, least = i, full
		}
	}
	return b.id(best)
}

// ownProbes is how many other nodes a key has, and anyProbes how many are then drawn at random: a key that has filled all
// of its own is so busy that it goes anywhere. With a factor of 1.25 at most four of five nodes are full, so that one
// pick in 35 that finds its node full goes beyond its own, and one in 45,000 takes a full node.
const (
	ownProbes = 16
	anyProbes = 32
)

// probe is the node at x/2^64 of the list and how full it is: infinitely where f does not let it pass.
func (b *bounded) probe(x, slots uint64, f Filter) (i int, full float64) {
	at, _ := bits.Mul64(x, uint64(len(b.nodes)))
	i = int(at)
	if !b.usable(i, f) {
		return i, math.Inf(1)
	}
	return i, b.fullness(i, slots)
}

// slots are how many calls may be in flight at all nodes together, this one included.
func (b *bounded) slots() uint64 {
	return (uint64(max(b.total.Load(), 0)+1)*b.percent + 99) / 100
}

// fullness is a node's calls in flight for those that it may have, of which it has one at least.
func (b *bounded) fullness(i int, slots uint64) float64 {
	return float64(b.nodes[i].InFlight()) / max(math.Ceil(float64(slots)*b.weights[i]), 1)
}

// tally makes the nodes count their calls together, and is their sum. Nodes that are counted already keep their tally, and
// others of the list join it: the pickers that follow each other as a list changes have one. Calls at nodes that have left
// the list are in it too, as they are in Envoy.
func tally(nodes []*Node) *atomic.Int64 {
	var t *atomic.Int64
	for _, n := range nodes {
		if t = n.tally.Load(); t != nil {
			break
		}
	}
	if t == nil && len(nodes) > 0 {
		nodes[0].join(new(atomic.Int64))
		t = nodes[0].tally.Load() // another's, where two pickers are made at once
	}
	for _, n := range nodes {
		n.join(t)
	}
	return t
}
