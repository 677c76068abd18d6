package balance

import (
	"math/bits"
	"sort"
)

// shared is what calls are shared out by, until the next Update.
type shared struct {
	upTo   []uint64 // of the levels: where the share of each ends, in percent
	panics []bool
	parts  [][]uint64 // of each level: where the weight of each part ends
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
