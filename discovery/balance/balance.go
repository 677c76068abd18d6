// Package balance picks one endpoint of many. It knows algorithms and nothing of networks.
//
// A [Picker] works over a fixed list of nodes and is made anew when the list changes; the [Node]s stay, with the load
// that they carry, so that a change of the list forgets nothing. Who makes a call tells its node: Begin, End, and Fail
// where it failed.
//
// [New] picks among all nodes alike; [NewByLocality] prefers those that are near and goes by their health too.
//
// A pick takes no lock and allocates nothing, and costs the same among ten nodes and among 100,000. Making a picker costs
// time in proportion to the nodes: for 100,000 of them about 1 ms, a ring of hashes 15 to 30 ms, a Maglev table 60 ms, and a
// ring of 8 million entries, which weights that are far apart make, 0.7 s and 570 MB, of which 190 MB stay. Nothing that is
// given to New changes under it, so that whoever updates a list can make the next picker in another goroutine while calls
// go on with the old one; a node that the old one does not know gets its calls that much later, and one that left is to
// be kept out by the filter.
package balance

// Filter narrows a pick to the nodes that may take the call now.
type Filter interface {
	// Usable reports whether the node at index i of the picker's list may be picked. It must be cheap and must not block.
	Usable(i int) bool
}

// Picker picks among the nodes it was made for. It is safe for use by many goroutines.
type Picker interface {
	// Pick returns the index of a node that f lets pass, or -1 where none does. A nil f lets all pass. It never blocks.
	//
	// The key places the call where [Algorithm.Keyed] says so: calls of one key go to one node as long as f lets it pass.
	// It should be a good hash (Envoy's is xxhash64 of what is hashed); a call without a key passes a random number. The
	// other algorithms ignore it.
	Pick(key uint64, f Filter) int
}

// New makes a picker over nodes, which the caller must not change afterwards. An error names the field of c that cannot be
// honoured.
func New(c Config, nodes []*Node) (Picker, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c.picker(list{nodes: nodes}), nil
}

// picker makes the picker of a config that is valid.
func (c Config) picker(l list) Picker {
	switch c.Algorithm {
	case RoundRobin:
		return newRoundRobin(l, newWarmup(c.SlowStart, l.nodes))
	case Random:
		return newRandom(l)
	case RingHash:
		low, high := c.ring()
		return c.bound(l, newRing(l, low, high))
	case Maglev:
		return c.bound(l, newMaglev(l, c.TableSize))
	}
	return newLeastRequest(l, c.Choices, newWarmup(c.SlowStart, l.nodes))
}

func (c Config) bound(l list, p placer) Picker {
	if c.BoundedLoad == 0 {
		return p
	}
	return newBounded(l, p, c.BoundedLoad)
}
