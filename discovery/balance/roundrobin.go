package balance

import (
	"math/bits"
	"math/rand/v2"
	"sort"
	"sync/atomic"
)

// roundRobin takes the nodes in turn. It starts at a random place, so that many clients do not march in step.
type roundRobin struct {
	list
	turn   atomic.Uint64
	lanes  *lanes  // nil where all weights are the same
	warmup *warmup // nil without slow start
}

func newRoundRobin(l list, w *warmup) *roundRobin {
	p := &roundRobin{list: l, lanes: newLanes(l.nodes), warmup: w}
	p.turn.Store(rand.Uint64() >> 1) // half of the range is left until the counter wraps
	return p
}

// Pick takes the next node, or the next after it that f lets pass.
func (p *roundRobin) Pick(_ uint64, f Filter) int {
	switch {
	case len(p.nodes) == 0:
		return -1
	case p.lanes != nil:
		return p.id(p.weighted(f))
	}
	return p.id(p.plain(f))
}

// plain counts through the nodes. Those that it passes over use up their turn: otherwise whoever stands behind an
// unusable node would get its calls as well.
func (p *roundRobin) plain(f Filter) int {
	n := uint64(len(p.nodes))
	i := int((p.turn.Add(1) - 1) % n)
	cold, passed := -1, 0
	for k := range len(p.nodes) {
		if p.usable(i, f) {
			if passed == coldRedraws || p.warmup.accepts(p.nodes[i]) {
				if k > 0 {
					p.turn.Add(uint64(k))
				}
				return i
			}
			cold = i
			passed++
		}
		if i++; i == len(p.nodes) {
			i = 0
		}
	}
	return cold
}

// weighted takes the next turns until one gives a usable node. Where a few do not, it looks through all nodes from a
// random start, so that one is found in time that has a bound.
func (p *roundRobin) weighted(f Filter) int {
	cold := -1
	for range redraws * redraws {
		i := p.lanes.at((p.turn.Add(1) - 1) * golden)
		if !p.usable(i, f) {
			continue
		}
		if p.warmup.accepts(p.nodes[i]) {
			return i
		}
		cold = i
	}
	if cold >= 0 {
		return cold
	}
	return p.scan(-1, f)
}

// golden is 2^64 divided by the golden ratio. Its multiples, modulo 2^64, fall into every interval as often as its
// length says and as evenly as multiples of any number can (Knuth, TAOCP 6.4): between two hits of one interval there
// are at most three different distances. So turns need no state but a counter, and no work that grows with the number
// of nodes or the spread of their weights, unlike a schedule that passes over light nodes until their turn has come.
const golden = 0x9E3779B97F4A7C15

// lanes lays the nodes side by side on a line, each as wide as its weight.
type lanes struct {
	ends  []uint64 // where each lane ends
	guide []int    // for each of len(ends) equal sections of the line: the lane in which it begins
	width uint64   // of a section
}

func newLanes(nodes []*Node) *lanes {
	weights, total := shares(nodes)
	if weights == nil {
		return nil
	}
	l := &lanes{ends: weights, guide: make([]int, len(nodes)+1)}
	for i := 1; i < len(weights); i++ {
		l.ends[i] += l.ends[i-1]
	}
	l.width = (total + uint64(len(nodes)) - 1) / uint64(len(nodes))
	lane := 0
	for s := range l.guide {
		for lane < len(weights)-1 && l.ends[lane] <= uint64(s)*l.width {
			lane++
		}
		l.guide[s] = lane
	}
	return l
}

// at is the lane at x/2^64 of the line. The guide leaves two lanes to look at on average, however uneven they are, and
// a binary search where many light ones lie in one section.
func (l *lanes) at(x uint64) int {
	place, _ := bits.Mul64(x, l.ends[len(l.ends)-1])
	s := place / l.width
	from, to := l.guide[s], l.guide[s+1]
	if l.ends[from] > place {
		return from
	}
	return from + sort.Search(to-from, func(k int) bool { return l.ends[from+k] > place })
}
