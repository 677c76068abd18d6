package balance

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// penaltyDecay is the time in which a failure's weight falls to 1/e. It is the decay that peak EWMA balancers use for
// latencies (10 s in Finagle and linkerd): long enough that an endpoint that fails fast does not attract the next
// thousand calls, short enough that one that recovered is used again before an ejection would have ended.
const penaltyDecay = 10 * time.Second

// maxPenalty bounds the penalty, so that a node that failed for an hour comes back as soon as one that failed for a
// minute: from 1000 it takes ln(1000)*10 s = 69 s until it weighs no more than one call in flight.
const maxPenalty = 1000

// Node is the load of one endpoint: its calls in flight and a penalty for its recent failures. All methods are safe for
// use by many goroutines and take no lock.
type Node struct {
	// The first four are what picks look at: half a cache line.
	inFlight atomic.Int64 // twice the number of calls, and 1 where they are counted in the tally too
	// penalty holds the bits of L, where the penalty at time t is exp(L - t/penaltyDecay): a decaying value in one word.
	// 0 means that there never was a failure.
	penalty atomic.Uint64
	share   atomic.Uint32
	*rare
}

// rare is what most picks do not look at.
type rare struct {
	addr     string // never changes
	endpoint atomic.Pointer[discovery.Endpoint]
	born     atomic.Int64                 // when it joined the list, in nanoseconds since epoch
	tally    atomic.Pointer[atomic.Int64] // calls in flight at all nodes of the list; nil where nobody asked
}

// NewNode makes a node without load.
func NewNode(e discovery.Endpoint) *Node {
	n := &Node{rare: &rare{addr: e.Addr}}
	n.Revise(e)
	n.Join()
	return n
}

// Revise takes what the source newly says of the endpoint: its weight and its place. The address stays. Pickers made before
// keep drawing by the old weight, and those by locality by the old place.
func (n *Node) Revise(e discovery.Endpoint) {
	n.share.Store(e.Share())
	n.endpoint.Store(&e)
}

// epoch is the zero of the penalties' clock.
var epoch = time.Now()

// Join notes that the endpoint joins the list now, where its slow start begins. NewNode does so too; it is for an endpoint
// that was away and comes back, such as one that failed its health check. One that was ejected and is used again has not
// been away: what it knows is still warm, and Envoy has it so.
func (n *Node) Join() { n.born.Store(now()) }

// Begin counts a call as in flight. Every Begin needs one End.
func (n *Node) Begin() { n.add(1) }

// End counts a call as over.
func (n *Node) End() { n.add(-1) }

// InFlight is the number of calls in flight.
func (n *Node) InFlight() int64 { return n.inFlight.Load() >> 1 }

func (n *Node) add(d int64) {
	if n.inFlight.Add(2*d)&1 != 0 {
		n.tally.Load().Add(d)
	}
}

// join counts the node's calls in t too, from those in flight on; a node that has a tally keeps it. Who calls Begin or End
// at the same time sees the mark in the very word that it changes, so that each call is counted once and taken away once.
func (n *Node) join(t *atomic.Int64) {
	if n.tally.CompareAndSwap(nil, t) {
		t.Add(n.inFlight.Or(1) >> 1)
	}
}

// Share is the node's weight; at least 1.
func (n *Node) Share() uint32 { return max(n.share.Load(), 1) }

// Fail adds the weight of one call in flight to the node, which decays.
func (n *Node) Fail() {
	t := age()
	for {
		old := n.penalty.Load()
		p := min(decayed(old, t)+1, maxPenalty)
		next := math.Float64bits(math.Log(p) + t)
		if next == 0 { // ln(p) + t is exactly 0: the word for "never"
			next = math.Float64bits(math.SmallestNonzeroFloat64)
		}
		if n.penalty.CompareAndSwap(old, next) {
			return
		}
	}
}

// Penalty is the present weight of the node's failures, in calls in flight.
func (n *Node) Penalty() float64 {
	bits := n.penalty.Load()
	if bits == 0 {
		return 0
	}
	return decayed(bits, age())
}

// loadAt is what pickers compare, once divided by weights: the calls in flight and the penalty. The age is given because
// reading the clock costs more than the rest, and a picker compares two nodes.
func (n *Node) loadAt(t float64) float64 {
	return float64(n.InFlight()) + decayed(n.penalty.Load(), t)
}

func decayed(bits uint64, t float64) float64 {
	if bits == 0 {
		return 0
	}
	return math.Exp(math.Float64frombits(bits) - t)
}

// age is the time since epoch in units of penaltyDecay.
func age() float64 { return float64(time.Since(epoch)) / float64(penaltyDecay) }
