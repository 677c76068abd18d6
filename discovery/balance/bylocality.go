package balance

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// ByLocality is a [Picker] that goes by place and health first, and by its algorithm among the nodes that this leaves:
// it draws a priority in proportion to the load that it can carry, in [Locality.Distribute] a place, and then a node.
//
// Health is counted when the picker is made and at each Update, never at a pick.
type ByLocality struct {
	algorithm    Algorithm
	levels       []level
	levelOf      []int32 // of every node; -1: in none
	healthy      func(i int) bool
	panicPercent int

	updating sync.Mutex
	shares   atomic.Pointer[shared]
}

// NewByLocality makes a picker over nodes that prefers them by where they are, seen from where the process runs. Among the
// nodes of one priority, or of one place that calls are distributed to, it picks as c says.
//
// healthy reports whether the node at an index of the list is well: neither ejected nor otherwise known to be bad. It is
// called once for every node by NewByLocality and by Update, by one goroutine at a time, and must not call Update.
//
// panicPercent is the percentage of healthy nodes under which the health of a priority is ignored, if the other priorities
// cannot take its load; 50 is Envoy's default, and 0 means never.
//
// An error names the field of c or l that cannot be honoured.
func NewByLocality(
	c Config, l Locality, from Place, nodes []*Node, healthy func(i int) bool, panicPercent int,
) (*ByLocality, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if panicPercent < 0 || panicPercent > 100 {
		return nil, fmt.Errorf("balance: panicPercent: %d: want 0 to 100", panicPercent)
	}
	p := &ByLocality{algorithm: c.Algorithm, healthy: healthy, panicPercent: panicPercent, levels: l.levels(from, nodes)}
	p.levelOf = make([]int32, len(nodes))
	for i := range p.levelOf {
		p.levelOf[i] = -1
	}
	for k := range p.levels {
		p.build(k, c, nodes)
	}
	p.Update()
	return p, nil
}

// build makes the pickers of a level.
func (p *ByLocality) build(k int, c Config, nodes []*Node) {
	var weight float64
	for _, part := range p.levels[k].parts {
		weight += float64(part.weight)
	}
	for i := range p.levels[k].parts {
		part := &p.levels[k].parts[i]
		l := list{ids: part.ids, nodes: make([]*Node, len(part.ids)), share: float64(part.weight) / weight}
		for j, id := range part.ids {
			l.nodes[j] = nodes[id]
			p.levelOf[id] = int32(k)
		}
		part.picker = c.picker(l)
	}
}

// Pick draws a priority and a place, by the key where the algorithm places calls by keys and else at random, and lets the
// algorithm pick there. Where f lets nothing pass there it looks at the other places and priorities, the first first. It is
// -1 only where f lets nothing pass at all; nodes at places that calls are not distributed to are never picked, so that it
// is -1 too where there are no others.
func (p *ByLocality) Pick(key uint64, f Filter) int {
	if len(p.levels) == 0 {
		return -1
	}
	s := p.shares.Load()
	level, place := key, mix(key)
	if !p.algorithm.Keyed() {
		level = rand.Uint64()
		place = level
	}
	k := s.level(level)
	at := s.part(k, place)
	if i := p.levels[k].parts[at].picker.Pick(key, f); i >= 0 {
		return i
	}
	return p.elsewhere(k, at, key, f)
}

// elsewhere looks at everything but the part that was drawn: first at the rest of its level.
func (p *ByLocality) elsewhere(drawn, part int, key uint64, f Filter) int {
	if i := p.within(drawn, part, key, f); i >= 0 {
		return i
	}
	for k := range p.levels {
		if k == drawn {
			continue
		}
		if i := p.within(k, -1, key, f); i >= 0 {
			return i
		}
	}
	return -1
}

func (p *ByLocality) within(k, except int, key uint64, f Filter) int {
	for i := range p.levels[k].parts {
		if i == except {
			continue
		}
		if at := p.levels[k].parts[i].picker.Pick(key, f); at >= 0 {
			return at
		}
	}
	return -1
}
