package traffic

// index finds the entries that can match a request.
type index struct {
	names    map[string]*hostIndex // names in lower case
	suffixes map[string]*hostIndex // ".shop.internal"
	all      *hostIndex
}

// hostIndex are the entries of one pattern of hosts.
type hostIndex struct {
	any   *pathIndex
	ports map[uint16]*pathIndex
}

// pathIndex are the entries of one host, by what they say of the path.
type pathIndex struct {
	exact    map[string][]*entry
	prefixes *node
	rest     []*entry
	folded   *pathIndex // exact and prefixes, in lower case, of those that make no difference
}

func newIndex(entries []*entry, regexes map[string]*regex) *index {
	x := &index{names: make(map[string]*hostIndex), suffixes: make(map[string]*hostIndex)}
	for _, e := range entries {
		if e.never() {
			continue
		}
		x.file(e, pathOf(e.all, regexes))
	}
	return x
}

// file files an entry under each of its hosts.
func (x *index) file(e *entry, k pathKey) {
	if len(e.hosts) == 0 {
		x.paths(host{suffix: true}).add(e, k)
	}
	for _, h := range e.hosts {
		x.paths(h).add(e, k)
	}
}

// never says whether the entry cannot match in this process.
func (e *entry) never() bool { return len(e.all) > 0 && e.all[0].of == ofNever }

// paths are the entries of a pattern, made where there are none.
func (x *index) paths(h host) *pathIndex {
	at := x.host(h)
	if h.port == 0 {
		if at.any == nil {
			at.any = &pathIndex{}
		}
		return at.any
	}
	if at.ports == nil {
		at.ports = make(map[uint16]*pathIndex)
	}
	if at.ports[h.port] == nil {
		at.ports[h.port] = &pathIndex{}
	}
	return at.ports[h.port]
}

func (x *index) host(h host) *hostIndex {
	if h.suffix && h.name == "" {
		if x.all == nil {
			x.all = &hostIndex{}
		}
		return x.all
	}
	m := x.names
	if h.suffix {
		m = x.suffixes
	}
	if m[h.name] == nil {
		m[h.name] = &hostIndex{}
	}
	return m[h.name]
}

// add files an entry. Entries come in order, so that every list is in order.
func (x *pathIndex) add(e *entry, k pathKey) {
	if k.kind == anyPath {
		x.rest = append(x.rest, e)
		return
	}
	if k.fold {
		if x.folded == nil {
			x.folded = &pathIndex{}
		}
		x = x.folded
	}
	if k.kind == exactPath {
		if x.exact == nil {
			x.exact = make(map[string][]*entry)
		}
		x.exact[k.text] = append(x.exact[k.text], e)
		return
	}
	if x.prefixes == nil {
		x.prefixes = &node{}
	}
	n := x.prefixes.insert(k.text)
	n.entries = append(n.entries, e)
}
