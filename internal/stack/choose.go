package stack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
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

// filter is the narrowing of a choice: what is ejected stands back, and so does what the call has tried already.
type filter struct {
	near      bool // pass only what has the priority level
	fresh     bool // pass only what the call has not tried
	ejections bool // pass only what is not ejected, or wants a probe
	level     int
}

// choosing is an attempt as a picker sees it.
type choosing Attempt

func (c *choosing) Usable(i int) bool {
	a, n := (*Attempt)(c), c.among.Nodes[i]
	if a.among.places != nil && a.filter.ejections && a.among.places.Panic(i) {
		return a.unspent(n)
	}
	return a.passes(n)
}

func (a *Attempt) passes(n *Node) bool {
	return (!a.filter.near || a.among.levels()[n] == a.filter.level) && (!a.filter.ejections || n.open()) && a.unspent(n)
}

// hopeful reports whether the call waits for a connection to n, rather than to go to another place: not where that would
// be a probe.
func (a *Attempt) hopeful(n *Node) bool { return a.passes(n) && !(a.filter.near && n.Ejected()) }

// unspent reports whether the call may still learn something at n.
func (a *Attempt) unspent(n *Node) bool {
	return (!a.filter.fresh || a.Call.fresh(n) && !slices.Contains(a.skipped, n))
}

// relax drops the condition that matters least; false where there is none left. An endpoint that has just failed this call
// is tried again before one that fails everybody.
func (f *filter) relax() bool {
	if f.near {
		f.near = false
		return true
	}
	if f.fresh {
		f.fresh = false
		return true
	}
	had := f.ejections
	f.ejections = false
	return had
}

// fresh reports whether the call has not tried n yet.
func (c *Call) fresh(n *Node) bool {
	return !slices.Contains(c.tried, n)
}

// Choose is the fan-out's choice of the attempt's endpoint: by the destination's algorithm, among those that are not
// ejected and that this call has not tried, while there is such a one. A wire with connections of its own passes what it
// knows of them, and is given one that is ready where any is.
func (a *Attempt) Choose(r Readiness) (n *Node, err error) {
	a.release() // of an earlier choice that came to nothing
	for range maxChoices {
		n, err = a.choose(r)
		if err != nil || a.claim(n) {
			break
		}
	}
	return n, err
}

// maxChoices bounds how often an attempt chooses anew because another has become the probe of the endpoint in that very
// moment.
const maxChoices = 4

func (a *Attempt) choose(r Readiness) (*Node, error) {
	c := a.Call
	eps := c.dest.Endpoints()
	if a.missing = eps.missing(); a.missing != nil {
		return nil, a.missing
	}
	ejections := c.dest.outliers.active.Load()
	if ejections {
		if a.missing = c.dest.outliers.barred(eps); a.missing != nil {
			return nil, a.missing
		}
		if n := a.overdue(eps); n != nil && (r == nil || r.Ready(n)) {
			return n, nil
		}
	}
	if eps.keyed && c.key == 0 {
		c.key = rand.Uint64() // it began under a policy that had no keys, and its like are not all to go to one place
	}
	if r != nil && eps.keyed {
		if n, err := a.place(r, eps, ejections); n != nil || err != nil {
			return n, err
		}
	}
	n := a.pick(eps, ejections)
	if n == nil {
		a.missing = errPlaceless
		return nil, a.missing
	}
	if r == nil || r.Ready(n) {
		return n, nil
	}
	// One that is about to connect beats one that has just failed this call, and one that is ejected.
	a.filter = filter{fresh: len(c.tried) > 0, ejections: ejections}
	if eps.places != nil {
		a.among, a.filter.near, a.filter.level = eps, true, eps.levels()[n]
	}
	for {
		if n := r.Pick(a.passes); n != nil {
			return n, nil
		}
		if r.Hope(a.hopeful) {
			return nil, ErrWait
		}
		if !a.filter.relax() {
			return nil, ErrNotConnected
		}
	}
}

// place is the choice of an endpoint by the call's key, for a wire that connects ahead of calls: the call waits for the
// connection to its place while there is hope, and goes on to the next place where there is none, as with grpc's own ring
// hash (gRFC A42). It gives nothing where few places were of use.
func (a *Attempt) place(r Readiness, eps *Endpoints, ejections bool) (*Node, error) {
	a.skipped = a.skipped[:0]
	defer func() { a.skipped = nil }()
	for range maxPlaces {
		n := a.pick(eps, ejections)
		if n == nil || slices.Contains(a.skipped, n) {
			break
		}
		if r.Ready(n) {
			return n, nil
		}
		if r.Hope(func(m *Node) bool { return m == n }) {
			return nil, ErrWait
		}
		a.skipped = append(a.skipped, n)
	}
	return nil, nil
}

// maxPlaces bounds the places that are looked at for one call.
const maxPlaces = 8

// errPlaceless is the error where the policy distributes calls to places that have no endpoint.
var errPlaceless = &call.Error{
	Reason: call.NoEndpoint, Code: call.Unavailable,
	Err: fmt.Errorf("intramesh: none at the places that calls are distributed to: %w", discovery.ErrNoEndpoint),
}

// pick never fails where there is an endpoint that calls may go to: when all were tried, they are tried again. With nothing
// tried and nothing ejected, nothing is looked at. It is nil where there is none.
func (a *Attempt) pick(eps *Endpoints, ejections bool) *Node {
	c := a.Call
	if len(c.tried) == 0 && !ejections && len(a.skipped) == 0 {
		return eps.at(eps.Picker.Pick(c.key, nil))
	}
	f := &a.filter
	a.among, *f = eps, filter{fresh: len(c.tried) > 0 || len(a.skipped) > 0, ejections: ejections}
	for f.fresh || f.ejections {
		if i := eps.Picker.Pick(c.key, (*choosing)(a)); i >= 0 {
			return eps.Nodes[i]
		}
		f.relax()
	}
	return eps.at(eps.Picker.Pick(c.key, nil))
}

// Lose tells the fan-out that the attempt's endpoint was lost before anything was sent there, so that the choice that
// the wire asks for next within the same attempt, as grpc's transparent retries do, is another one.
func (a *Attempt) Lose() {
	a.Call.note(a)
	a.Node = nil
}
