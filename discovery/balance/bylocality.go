package balance

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"sort"
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

// shared is what calls are shared out by, until the next Update.
type shared struct {
	upTo   []uint64 // of the levels: where the share of each ends, in percent
	panics []bool
	parts  [][]uint64 // of each level: where the weight of each part ends
}

// NewByLocality makes a picker over nodes that prefers them by where they are, seen from where the process runs. Among the
// nodes of one priority, or of one place that calls are distributed to, it picks as c says.
//
// healthy reports whether the node at an index of the list is well: neither ejected nor otherwise known to be bad. It is
// called once for every node by NewByLocality and by Update, from one goroutine at a time. panicPercent is the percentage
// of healthy nodes under which the health of a priority is ignored, if the other priorities cannot take its load; 50 is
// Envoy's default, and 0 means never.
//
// An error names the field of c or l that cannot be honoured.
func NewByLocality(c Config, l Locality, from Place, nodes []*Node, healthy func(i int) bool, panicPercent int) (*ByLocality, error) {
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

// Update counts healthy nodes and shares calls out anew. It is to be called when the health of a node has changed, as when
// one is ejected or readmitted, by whoever changed it; picks may go on at the same time and see the old shares or the new,
// never a mixture. It asks once for every node: under 1 ms for 100,000.
func (p *ByLocality) Update() {
	p.updating.Lock()
	defer p.updating.Unlock()
	s := &shared{upTo: make([]uint64, len(p.levels)), parts: make([][]uint64, len(p.levels))}
	healths := make([]health, len(p.levels))
	parts := make([][]health, len(p.levels))
	for k := range p.levels {
		parts[k], healths[k] = p.count(&p.levels[k])
	}
	var percent []int
	percent, s.panics = loads(healths, p.panicPercent)
	var end uint64
	for k := range p.levels {
		end += uint64(percent[k])
		s.upTo[k] = end
		s.parts[k] = ends(p.levels[k].parts, parts[k], s.panics[k])
	}
	p.shares.Store(s)
}

// count counts the nodes of a level that are well.
func (p *ByLocality) count(l *level) (parts []health, all health) {
	parts = make([]health, len(l.parts))
	for i := range l.parts {
		h := health{size: len(l.parts[i].ids)}
		for _, id := range l.parts[i].ids {
			if p.healthy(int(id)) {
				h.well++
			}
		}
		parts[i] = h
		all.well, all.size = all.well+h.well, all.size+h.size
	}
	return parts, all
}

// ends lays the parts' weights side by side. Where health is to be ignored, or none is well, they are as they were given.
func ends(parts []part, healths []health, panics bool) []uint64 {
	e := make([]uint64, len(parts))
	var end uint64
	for i := range parts {
		if !panics {
			end += healths[i].weigh(parts[i].weight)
		}
		e[i] = end
	}
	if end > 0 {
		return e
	}
	for i := range parts {
		end += uint64(parts[i].weight)
		e[i] = end
	}
	return e
}

// Panic reports whether the health of the node at index i is to be ignored, because so few of its priority are well. A
// [Filter] should let a node pass then that it would not because of its health alone.
func (p *ByLocality) Panic(i int) bool {
	k := p.levelOf[i]
	return k >= 0 && p.shares.Load().panics[k]
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
	level, place := key, key
	if p.algorithm.Keyed() {
		place = mix(key)
	} else {
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

// level is the level of a number: by its remainder, so that a key has the level that it has in Envoy.
func (s *shared) level(x uint64) int {
	if len(s.upTo) == 1 {
		return 0
	}
	x %= 100
	for k, end := range s.upTo {
		if x < end {
			return k
		}
	}
	return 0
}

// part is the part of level k that a number belongs to.
func (s *shared) part(k int, x uint64) int {
	ends := s.parts[k]
	if len(ends) == 1 {
		return 0
	}
	place, _ := bits.Mul64(x, ends[len(ends)-1])
	return sort.Search(len(ends)-1, func(i int) bool { return place < ends[i] })
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
