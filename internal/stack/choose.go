package stack

import (
	"errors"
	"slices"
)

// Readiness is what a wire that connects ahead of calls, as gRPC does, knows of its connections.
type Readiness interface {
	// Ready reports whether n can carry an attempt at once. Where it cannot, a connection is asked for.
	Ready(n *Node) bool
	// Pick picks among those that are ready and pass f, by the same algorithm; nil if there is none.
	Pick(f func(*Node) bool) *Node
	// Hope reports whether an endpoint that passes f may become ready without anybody doing more.
	Hope(f func(*Node) bool) bool
}

// ErrWait says that no endpoint is ready and one may become so: the wire asks again when its connections change.
var ErrWait = errors.New("intramesh: no connection is ready yet")

// ErrNotConnected says that no endpoint is ready and all that were tried failed.
var ErrNotConnected = errors.New("intramesh: no endpoint can be connected to")

// filter is the narrowing of a first choice: what was tried already stands back.
type filter struct {
	nodes []*Node
	call  *Call
}

func (f *filter) Usable(i int) bool { return f.call.fresh(f.nodes[i]) }

// fresh reports whether the call has not tried n yet.
func (c *Call) fresh(n *Node) bool {
	return !slices.Contains(c.tried, n)
}

func anyNode(*Node) bool { return true }

// Choose is the fan-out's choice of the attempt's endpoint: by the destination's algorithm, among those that this call
// has not tried while there is such a one. A wire with connections of its own passes what it knows of them, and is
// given one that is ready where any is.
func (a *Attempt) Choose(r Readiness) (*Node, error) {
	c := a.Call
	eps := c.dest.Endpoints()
	if a.missing = eps.missing(); a.missing != nil {
		return nil, a.missing
	}
	n := c.pick(eps)
	if r == nil || r.Ready(n) {
		return n, nil
	}
	if len(c.tried) > 0 {
		// One that is about to connect beats one that has just failed this call.
		if n := r.Pick(c.fresh); n != nil {
			return n, nil
		}
		if r.Hope(c.fresh) {
			return nil, ErrWait
		}
	}
	if n := r.Pick(anyNode); n != nil {
		return n, nil
	}
	if r.Hope(anyNode) {
		return nil, ErrWait
	}
	return nil, ErrNotConnected
}

// pick never fails where there is an endpoint at all: when all were tried, they are tried again.
func (c *Call) pick(eps *Endpoints) *Node {
	i := -1
	if len(c.tried) > 0 {
		i = eps.Picker.Pick(&filter{eps.Nodes, c})
	}
	if i < 0 {
		i = eps.Picker.Pick(nil)
	}
	return eps.Nodes[i]
}

// Lose tells the fan-out that the attempt's endpoint was lost before anything was sent there, so that the choice that
// the wire asks for next within the same attempt, as grpc's transparent retries do, is another one.
func (a *Attempt) Lose() {
	a.Call.note(a)
	a.Node = nil
}
