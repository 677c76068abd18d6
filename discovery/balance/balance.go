// Package balance picks one endpoint of many. It knows algorithms and nothing of networks.
//
// A [Picker] works over a fixed list of nodes and is made anew when the list changes; the [Node]s stay, with the load
// that they carry, so that a change of the list forgets nothing. Who makes a call tells its node: Begin, End, and Fail
// where it failed.
//
// A pick takes no lock and allocates nothing, and costs the same among ten nodes and among 100,000.
package balance

import (
	"fmt"

	"github.com/intramesh/intramesh/discovery"
)

// Algorithm names a way to pick.
type Algorithm string

const (
	// LeastRequest draws two nodes in proportion to their weights and takes the one with fewer calls in flight for its
	// weight, recent failures counted as calls. It is the default.
	LeastRequest Algorithm = "least_request"
	// RoundRobin takes the nodes in turn, each as often as its weight says.
	RoundRobin Algorithm = "round_robin"
)

// Filter narrows a pick to the nodes that may take the call now.
type Filter interface {
	// Usable reports whether the node at index i of the picker's list may be picked. It must be cheap and must not block.
	Usable(i int) bool
}

// Picker picks among the nodes it was made for. It is safe for use by many goroutines.
type Picker interface {
	// Pick returns the index of a node that f lets pass, or -1 where none does. A nil f lets all pass. It never blocks.
	Pick(f Filter) int
}

// New makes a picker over nodes, which the caller must not change afterwards. An empty algorithm is [LeastRequest];
// an unknown one is an error.
func New(a Algorithm, nodes []*Node) (Picker, error) {
	switch a {
	case LeastRequest, "":
		return newLeastRequest(nodes), nil
	case RoundRobin:
		return newRoundRobin(nodes), nil
	}
	return nil, fmt.Errorf("balance: unknown algorithm %q (known: %s, %s)", string(a), LeastRequest, RoundRobin)
}

// NewNode makes a node without load.
func NewNode(e discovery.Endpoint) *Node {
	n := &Node{}
	n.share.Store(e.Share())
	return n
}
