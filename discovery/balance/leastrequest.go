package balance

import "math/rand/v2"

// redraws bounds how often a candidate that is of no use is drawn again before the nodes are looked through in order.
// With half of the nodes unusable, the most before the mesh ignores ejections, one pick in 16 gets that far.
const redraws = 4

// leastRequest is power of two choices (Mitzenmacher, 2001): as good as looking at all nodes for keeping the longest
// queue short, at the price of looking at two, and clients that do not know of each other do not all rush to the node
// that was idle a moment ago.
//
// With more choices it goes on from the better of two; each further one is worth less.
type leastRequest struct {
	list
	draws   *aliasTable // nil where all weights are the same
	choices int
	warmup  *warmup // nil without slow start
}

func newLeastRequest(l list, choices int, w *warmup) *leastRequest {
	return &leastRequest{list: l, draws: newAliasTable(l.nodes), choices: max(choices, 2), warmup: w}
}

// Pick draws nodes and takes the one with the least load for its weight.
func (p *leastRequest) Pick(_ uint64, f Filter) int {
	best := p.other(-1, f)
	if best < 0 || len(p.nodes) == 1 {
		return p.id(best)
	}
	for range min(p.choices, len(p.nodes)) - 1 {
		next := p.other(best, f)
		if next < 0 {
			break
		}
		if p.relieves(p.nodes[next], p.nodes[best]) {
			best = next
		}
	}
	return p.id(best)
}

// other draws a node that f lets pass and that is not the given one (-1: any). Where a few draws find none, which is
// so when nearly all nodes are unusable, it takes the next usable one from a random start.
func (p *leastRequest) other(except int, f Filter) int {
	cold := -1
	for left, passed := redraws, 0; left > 0 && passed < coldRedraws; {
		i := p.draw(except)
		if i < 0 {
			return -1
		}
		if i == except || !p.usable(i, f) {
			left--
			continue
		}
		if p.warmup.accepts(p.nodes[i]) {
			return i
		}
		cold = i
		passed++
	}
	if cold >= 0 {
		return cold
	}
	return p.scan(except, f)
}

// draw gives each node in proportion to its weight; -1 where there is none. Without weights it never gives except.
func (p *leastRequest) draw(except int) int {
	n := len(p.nodes)
	switch {
	case n == 0:
		return -1
	case p.draws != nil:
		return p.draws.draw()
	case except < 0:
		return rand.IntN(n)
	case n == 1:
		return -1
	}
	i := rand.IntN(n - 1)
	if i >= except {
		i++
	}
	return i
}

// relieves reports whether a call should go to the node drawn second instead of the first. A tie goes to the first: the
// draw was in proportion to the weights, so that an idle system uses every node as its weight says.
//
// The second wins by half a call or more. Between nodes of one weight that is any difference in calls, but not what is
// left of a failure of 10 s ago: that would win every tie on a quiet client, for ever. Between different weights it keeps
// the shares: by any difference, an idle node of weight 1 would beat one of weight 100 that has a single call, and a
// client with three calls in flight would send a third of them to a node that is meant to get one in a hundred.
// (Simulated, 1:99 at concurrency 3: 33 times its share by any difference, 0.94 times by half a call.)
func (p *leastRequest) relieves(second, first *Node) bool {
	var t float64
	if second.penalty.Load() != 0 || first.penalty.Load() != 0 {
		t = age()
	}
	w2, w1 := float64(second.Share()), float64(first.Share())
	if p.warmup != nil {
		w2, w1 = w2*p.warmup.factor(second), w1*p.warmup.factor(first)
	}
	return (second.loadAt(t)+0.5)/w2 <= first.loadAt(t)/w1
}
