package traffic

import "fmt"

// checkShadows finds routes that never match because earlier ones take all their requests. It finds what follows from the
// conditions one by one: the same or more hosts, a path that is the same or a prefix, and no condition beside it that the
// later route does not have as well. What several earlier routes take together it does not find.
func (c *compiler) checkShadows(t *Table) {
	s := newShadows(t.entries, c.regexes)
	for i := 0; i < len(t.entries); {
		first := t.entries[i].order
		var by *entry
		dead := true
		for ; i < len(t.entries) && t.entries[i].rule.Index == t.entries[first].rule.Index; i++ {
			if dead {
				by = s.covering(i, first)
				dead = by != nil
			}
		}
		if dead {
			r := t.entries[first].rule
			c.add(&FieldError{
				Path: fmt.Sprintf("Routes[%d]", r.Index), Value: r.Route.Name, Cause: ErrNeverMatches,
				Why: "can never match: " + by.rule.place() + " takes all its requests",
			})
		}
	}
}

// place is where a rule stands in its policy, with the route's name.
func (r *Rule) place() string {
	at := fmt.Sprintf("Routes[%d]", r.Index)
	if r.Match >= 0 {
		at += fmt.Sprintf(".Match[%d]", r.Match)
	}
	if r.Route.Name != "" {
		at += fmt.Sprintf(" (%q)", r.Route.Name)
	}
	return at
}

// shadows finds an entry that covers another. Entries are filed by their rarest condition beside those on host and path,
// and so by host and path: two routes that differ in a header alone are never compared.
type shadows struct {
	entries []*entry
	facts   []facts
	regexes map[string]*regex
	groups  map[group]*index
}

// group is a condition, or none.
type group struct{ fact int32 }

func newShadows(entries []*entry, regexes map[string]*regex) *shadows {
	s := &shadows{entries: entries, regexes: regexes, groups: make(map[group]*index)}
	ids := make(factIDs)
	for _, e := range entries {
		s.facts = append(s.facts, ids.of(e))
	}
	uses := make([]int, len(ids)+1)
	for _, f := range s.facts {
		for _, id := range f.are {
			uses[id]++
		}
	}
	for i, e := range entries {
		s.file(e, group{s.facts[i].rarest(uses)})
	}
	return s
}

func (s *shadows) file(e *entry, g group) {
	x := s.groups[g]
	if x == nil {
		x = &index{names: make(map[string]*hostIndex), suffixes: make(map[string]*hostIndex)}
		s.groups[g] = x
	}
	x.file(e, pathOf(e.all, s.regexes))
}

// covering is an entry before the given one that takes all its requests, of several hosts one of those that do so
// together; nil where there is none.
func (s *shadows) covering(i, before int) (by *entry) {
	e := s.entries[i]
	hosts := e.hosts
	if len(hosts) == 0 {
		hosts = []host{{suffix: true}}
	}
	for _, h := range hosts {
		if by = s.coveringHost(i, h, before); by == nil {
			return nil
		}
	}
	return by
}

func (s *shadows) coveringHost(i int, h host, before int) *entry {
	f := &s.facts[i]
	if by := s.groups[group{}].covering(s, i, h, before); by != nil {
		return by
	}
	for _, ids := range [][]int32{f.are, f.follow} {
		for _, id := range ids {
			if by := s.groups[group{id}].covering(s, i, h, before); by != nil {
				return by
			}
		}
	}
	return nil
}
