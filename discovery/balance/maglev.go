package balance

// maglev is a table whose entries belong to nodes, as many to each as its weight says: a key belongs to the entry at its
// remainder. The table is Envoy's, so that both send a key to the same node.
//
// A key whose node f does not let pass goes on along the table, and no other key moves. (Envoy builds another table of
// what is healthy, which moves a few others.)
type maglev struct {
	list
	table []int32
}

// newMaglev makes a table of the size. Of more nodes than entries some would have none, as they do in Envoy: the table is
// made larger then, to the next prime above four times their number.
func newMaglev(l list, size int) *maglev {
	m := &maglev{list: l}
	if len(l.nodes) == 0 {
		return m
	}
	if size == 0 {
		size = defaultTableSize
	}
	if len(l.nodes) > size {
		size = primeAbove(4 * len(l.nodes))
	}
	m.table = make([]int32, size)
	m.fill()
	return m
}

func primeAbove(n int) int {
	for !isPrime(n) {
		n++
	}
	return n
}

// fill lets the nodes take entries in turns, each in an order of its own, until none is left. A lighter node does not have
// every turn.
func (m *maglev) fill() {
	for i := range m.table {
		m.table[i] = -1
	}
	left := len(m.table)
	for turns := newTurns(&m.list, len(m.table)); left > 0; left-- {
		turns.next(m.table)
	}
}

// Pick takes the node at the key's entry.
func (m *maglev) Pick(key uint64, f Filter) int { return m.id(m.at(key, f)) }

// at is the node of the key's entry, or of the next after it which f lets pass.
func (m *maglev) at(key uint64, f Filter) int {
	if len(m.table) == 0 {
		return -1
	}
	i := int(key % uint64(len(m.table)))
	last := int32(-1)
	for range steps {
		if n := m.table[i]; n != last {
			if m.usable(int(n), f) {
				return int(n)
			}
			last = n
		}
		if i++; i == len(m.table) {
			i = 0
		}
	}
	return m.scanFrom(m.spread(key), -1, f)
}
