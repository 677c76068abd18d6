package balance

import (
	"maps"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/discovery"
)

// level is the nodes of one priority.
type level struct {
	parts []part
	size  int // of all parts
}

// part is nodes between which nothing but the algorithm chooses: those of a level, or those at one of the places that
// calls are distributed to.
type part struct {
	ids    []int32
	weight uint32 // among the parts of the level
	picker Picker
}

// levels sorts nodes into priorities, from the first to the last, and each into its parts. None is empty.
func (l Locality) levels(from Place, nodes []*Node) []level {
	if d := l.distribution(from); d != nil {
		return d.levels(nodes)
	}
	rank := l.ranking(from)
	ranked := map[int][]int32{}
	for i, n := range nodes {
		r := rank(n.endpoint.Load())
		ranked[r] = append(ranked[r], int32(i))
	}
	levels := make([]level, 0, len(ranked))
	for _, r := range slices.Sorted(maps.Keys(ranked)) {
		levels = append(levels, level{parts: []part{{ids: ranked[r], weight: 1}}, size: len(ranked[r])})
	}
	return levels
}

// distribution is the rule for calls from the place; nil where there is none.
func (l Locality) distribution(from Place) *Distribute {
	for i := range l.Distribute {
		if p, err := parsePattern(l.Distribute[i].From); err == nil && p.matches(from) {
			return &l.Distribute[i]
		}
	}
	return nil
}

// levels is one, with a part for each place where there are nodes.
func (d *Distribute) levels(nodes []*Node) []level {
	var patterns []pattern
	var parts []part
	for _, to := range slices.Sorted(maps.Keys(d.To)) {
		p, _ := parsePattern(to)
		patterns, parts = append(patterns, p), append(parts, part{weight: d.To[to]})
	}
	all := level{}
	for i, n := range nodes {
		at := placeOf(n.endpoint.Load())
		if k := slices.IndexFunc(patterns, func(p pattern) bool { return p.matches(at) }); k >= 0 {
			parts[k].ids = append(parts[k].ids, int32(i))
			all.size++
		}
	}
	all.parts = slices.DeleteFunc(parts, func(p part) bool { return len(p.ids) == 0 })
	if all.size == 0 {
		return nil
	}
	return []level{all}
}

// ranking gives endpoints their priority, of which 0 is the first.
func (l Locality) ranking(from Place) func(*discovery.Endpoint) int {
	switch {
	case len(l.FailoverPriority) > 0:
		return byLabels(l.FailoverPriority, from)
	case len(l.Distribute) > 0 || !from.known():
		return func(*discovery.Endpoint) int { return 0 }
	}
	next := ""
	for _, f := range l.Failover {
		if f.From == from.Region {
			next = f.To
		}
	}
	return func(e *discovery.Endpoint) int {
		d := from.distance(e)
		if d == 3 && next != "" && e.Region != next {
			d = 4
		}
		return d
	}
}

// byLabels ranks by the number of labels that an endpoint does not agree with, from the first that it does not.
func byLabels(labels []string, from Place) func(*discovery.Endpoint) int {
	names, values := make([]string, len(labels)), make([]string, len(labels))
	for i, label := range labels {
		name, value, given := strings.Cut(label, "=")
		if !given {
			value = from.label(name)
		}
		names[i], values[i] = name, value
	}
	return func(e *discovery.Endpoint) int {
		at := placeOf(e)
		for i, name := range names {
			if at.label(name) != values[i] {
				return len(names) - i
			}
		}
		return 0
	}
}
