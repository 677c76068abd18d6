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
	addr     string // never changes
	inFlight atomic.Int64
	share    atomic.Uint32
	endpoint atomic.Pointer[discovery.Endpoint]
	// penalty holds the bits of L, where the penalty at time t is exp(L - t/penaltyDecay): a decaying value in one word.
	// 0 means that there never was a failure.
	penalty atomic.Uint64
}

// NewNode makes a node without load.
func NewNode(e discovery.Endpoint) *Node {
	n := &Node{addr: e.Addr}
	n.Revise(e)
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

// Begin counts a call as in flight. Every Begin needs one End.
func (n *Node) Begin() { n.inFlight.Add(1) }

// End counts a call as over.
func (n *Node) End() { n.inFlight.Add(-1) }

// InFlight is the number of calls in flight.
func (n *Node) InFlight() int64 { return n.inFlight.Load() }

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

// costAt is what pickers compare: the node's load for its weight. The age is given because reading the clock costs more
// than the rest, and a picker compares two nodes.
func (n *Node) costAt(t float64) float64 {
	return (float64(n.inFlight.Load()) + decayed(n.penalty.Load(), t)) / float64(n.Share())
}

func decayed(bits uint64, t float64) float64 {
	if bits == 0 {
		return 0
	}
	return math.Exp(math.Float64frombits(bits) - t)
}

// age is the time since epoch in units of penaltyDecay.
func age() float64 { return float64(time.Since(epoch)) / float64(penaltyDecay) }
