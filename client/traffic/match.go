package traffic

// Match is the first rule that matches; nil where none does, and the request goes to the service that was called. It
// allocates nothing, but where a query parameter that a rule asks for is escaped.
//
// Only rules that can match are asked: those for the host, by its name and by each suffix of it, and of these those whose
// path is the request's or a prefix of it, and those that say nothing of the path. What remains is asked one by one; the
// package's comment has figures.
func (t *Table) Match(q *Request) *Rule {
	name, port := q.port()
	header := seen{id: -1}
	s := search{probe: probe{q: q, port: port, header: &header}}
	var space [128]byte
	s.hosts(t.index, appendLower(space[:0], name))
	if s.best == nil {
		return nil
	}
	return s.best.rule
}

// search looks for the first entry that matches. It asks one list of candidates after the other, and of each only those
// that come before the best so far.
type search struct {
	probe probe
	best  *entry
}

// hosts asks the entries for a name in lower case.
func (s *search) hosts(x *index, name []byte) {
	s.ports(x.names[string(name)])
	if len(x.suffixes) > 0 {
		for i, c := range name {
			if c == '.' && i > 0 {
				s.ports(x.suffixes[string(name[i:])])
			}
		}
	}
	s.ports(x.all)
}

func (s *search) ports(h *hostIndex) {
	if h == nil {
		return
	}
	s.paths(h.any)
	if len(h.ports) > 0 {
		s.paths(h.ports[s.probe.port])
	}
}

func (s *search) paths(x *pathIndex) {
	if x == nil {
		return
	}
	path := s.probe.q.Path
	s.list(x.exact[path])
	s.prefixes(x.prefixes, path)
	if x.folded != nil {
		var space [256]byte
		folded := appendLower(space[:0], path)
		s.list(x.folded.exact[string(folded)])
		s.foldedPrefixes(x.folded.prefixes, folded)
	}
	s.list(x.rest)
}

// prefixes asks the entries of every prefix of a path.
func (s *search) prefixes(n *node, path string) {
	for n != nil {
		s.list(n.entries)
		n = n.next(path)
		if n != nil {
			path = path[len(n.label):]
		}
	}
}

func (s *search) foldedPrefixes(n *node, path []byte) {
	for n != nil {
		s.list(n.entries)
		n = n.nextBytes(path)
		if n != nil {
			path = path[len(n.label):]
		}
	}
}

// list asks entries that are in order.
func (s *search) list(entries []*entry) {
	for _, e := range entries {
		if s.best != nil && e.order > s.best.order {
			return
		}
		if s.probe.holds(e.all) {
			s.best = e
			return
		}
	}
}

// appendLower appends s in lower case.
func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, lower(s[i]))
	}
	return b
}
