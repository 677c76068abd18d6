package balance

import "time"

// Algorithm names a way to pick. All of them give each node as much as its weight says.
type Algorithm string

const (
	// LeastRequest draws nodes in proportion to their weights, two unless [Config.Choices] says otherwise, and takes the
	// one with the fewest calls in flight for its weight, recent failures counted as calls. It is the default.
	LeastRequest Algorithm = "least_request"
	// RoundRobin takes the nodes in turn, each as often as its weight says.
	RoundRobin Algorithm = "round_robin"
	// Random draws a node in proportion to its weight.
	Random Algorithm = "random"
	// RingHash gives calls of one key to one node, by a ring of hashes (ketama): a change of the list moves the keys of
	// the nodes that came or went, and few others. It places keys as Envoy does.
	RingHash Algorithm = "ring_hash"
	// Maglev gives calls of one key to one node, by a table of fixed size (Eisenbud and others, NSDI 2016): faster and more
	// even than a ring, but a change of the list moves a few more keys. It places keys as Envoy does.
	Maglev Algorithm = "maglev"
)

// Algorithms are all that [New] knows.
func Algorithms() []Algorithm { return []Algorithm{LeastRequest, RoundRobin, Random, RingHash, Maglev} }

// Keyed reports whether the algorithm places calls by their key.
func (a Algorithm) Keyed() bool { return a == RingHash || a == Maglev }

// Config says how to pick. The zero value is least request of two. It is data: two are alike where Equal says so.
type Config struct {
	// Algorithm is one of the constants. Empty: [LeastRequest].
	Algorithm Algorithm
	// Choices is how many nodes least request draws and compares, at most as many as there are; one that is drawn twice
	// counts twice. 0: 2, which is enough (Mitzenmacher, 2001); 2 to 100. The others ignore it.
	Choices int
	// RingMin and RingMax bound the entries of a ring. 0: 1024 and 8 Mi, Envoy's; the most is 8 Mi. An entry takes 20 to 24
	// bytes. The lightest node has one at least, so that a ring with weights of 1 and 1,000,000 has over a million.
	RingMin, RingMax int
	// TableSize is the size of Maglev's table, a prime of at most 5,000,011. 0: 65537. Both are Envoy's. For more nodes than
	// that the table is larger, where in Envoy some nodes would have no entry and no calls.
	TableSize int
	// BoundedLoad is how many times its fair share of all calls in flight a node may have before calls whose key places
	// them there go elsewhere: 1.2 to 2.0 are usual. 0: no bound; otherwise at least 1. Only ring hash and Maglev heed it.
	BoundedLoad float64
	// SlowStart lets new nodes warm up. Nil: they get their whole share at once. Only least request and round robin heed
	// it, as in Envoy.
	SlowStart *SlowStart
}

// SlowStart sends a new node fewer calls at first. Its weight is multiplied by (age/Window)^(1/Aggression), and by
// MinPercent/100 where that is more. The formula and the defaults are Envoy's.
type SlowStart struct {
	// Window is how long a node is new. It is needed.
	Window time.Duration
	// MinPercent is the least share of its weight that a node has, in percent. 0: 10; at most 100.
	MinPercent float64
	// Aggression bends the way to the full weight: 1 is a straight line, more is faster at first. 0: 1; otherwise
	// positive.
	Aggression float64
}

// Bounds of sizes, those of Envoy's API.
const (
	defaultRingMin   = 1024
	maxRing          = 8 << 20
	defaultTableSize = 65537
	maxTableSize     = 5_000_011
	maxChoices       = 100
)

// Equal reports whether both say the same. A default that is spelled out differs from one that is not.
func (c Config) Equal(d Config) bool {
	a, b := c.SlowStart, d.SlowStart
	c.SlowStart, d.SlowStart = nil, nil
	return c == d && (a == b || a != nil && b != nil && *a == *b)
}

// ring are the bounds of a ring with their defaults.
func (c Config) ring() (low, high int) {
	low, high = c.RingMin, c.RingMax
	if low == 0 {
		low = defaultRingMin
	}
	if high == 0 {
		high = maxRing
	}
	return low, high
}
