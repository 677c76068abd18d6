package traffic

// covering looks in the entries of a group: at all patterns that have h in them.
func (x *index) covering(s *shadows, i int, h host, before int) *entry {
	if x == nil {
		return nil
	}
	look := func(at *hostIndex) *entry {
		if at == nil {
			return nil
		}
		if by := at.any.covering(s, i, before); by != nil || h.port == 0 {
			return by
		}
		return at.ports[h.port].covering(s, i, before)
	}
	if !h.suffix {
		if by := look(x.names[h.name]); by != nil {
			return by
		}
	}
	for j := range len(h.name) {
		if h.name[j] == '.' && (j > 0 || h.suffix) {
			if by := look(x.suffixes[h.name[j:]]); by != nil {
				return by
			}
		}
	}
	return look(x.all)
}

// covering looks at all paths that the entry's path is, or has as its beginning.
func (x *pathIndex) covering(s *shadows, i, before int) *entry {
	if x == nil {
		return nil
	}
	k := pathOf(s.entries[i].all, s.regexes)
	lists := [][]*entry{x.rest}
	if !k.fold {
		lists = append(lists, x.exact[k.text])
		lists = append(lists, x.prefixes.along(k.text)...)
	}
	if x.folded != nil {
		text := lowerString(k.text)
		lists = append(lists, x.folded.exact[text])
		lists = append(lists, x.folded.prefixes.along(text)...)
	}
	for _, list := range lists {
		for _, by := range list {
			if by.order >= before {
				break
			}
			if s.covers(by, i) {
				return by
			}
		}
	}
	return nil
}

// along are the entries of all prefixes of a path.
func (n *node) along(path string) (lists [][]*entry) {
	for n != nil {
		lists = append(lists, n.entries)
		if n = n.next(path); n != nil {
			path = path[len(n.label):]
		}
	}
	return lists
}

// covers says whether an entry holds wherever the other does, hosts apart.
func (s *shadows) covers(by *entry, i int) bool {
	return s.facts[by.order].within(&s.facts[i]) && s.coversPath(s.facts[by.order].path, s.facts[i].path)
}
