package balance

import "math/rand/v2"

// random draws nodes in proportion to their weights.
type random struct {
	list
	draws *aliasTable // nil where all weights are the same
}

func newRandom(l list) *random { return &random{list: l, draws: newAliasTable(l.nodes)} }

// Pick draws until a node is usable. Where a few draws find none it looks through all from a random start.
func (p *random) Pick(_ uint64, f Filter) int {
	if len(p.nodes) == 0 {
		return -1
	}
	for range randomRedraws {
		if i := p.draw(); p.usable(i, f) {
			return p.id(i)
		}
	}
	return p.id(p.scan(-1, f))
}

// randomRedraws is more than what least request allows, because nothing evens out afterwards what a scan gives to those
// behind unusable ones: with half of the nodes unusable one pick in 4096 is by a scan.
const randomRedraws = 12

func (p *random) draw() int {
	if p.draws != nil {
		return p.draws.draw()
	}
	return rand.IntN(len(p.nodes))
}
