package stack

import (
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/call"
)

// Endpoints is what a destination is known to consist of at one moment. It is immutable.
type Endpoints struct {
	// Nodes are the endpoints, in no particular order.
	Nodes []*Node
	// Picker picks an index of Nodes.
	Picker balance.Picker
	// keyed is set where Picker places calls by their key.
	keyed bool
	// places is Picker where it goes by where endpoints are; else nil.
	places *balance.ByLocality
	levels func() map[*Node]int // their priorities, made at the first need: most lists are replaced before there is one
	// absent is set when the registry knows no such service.
	absent bool
}

// at is the node at index i, nil where that is -1.
func (e *Endpoints) at(i int) *Node {
	if i < 0 {
		return nil
	}
	return e.Nodes[i]
}

// missing is the error for a destination that is known to have no endpoint; nil if it has one.
func (e *Endpoints) missing() *call.Error {
	switch {
	case e.absent:
		return &call.Error{Reason: call.UnknownService, Code: call.Unavailable, Err: discovery.ErrUnknownService}
	case len(e.Nodes) == 0:
		return &call.Error{Reason: call.NoEndpoint, Code: call.Unavailable, Err: discovery.ErrNoEndpoint}
	}
	return nil
}

// keepRetired is how long the state of an endpoint that has left is kept, so that one that flaps comes back as the one
// it was: longer than its penalty lasts.
const keepRetired = time.Minute

// book is the writer's side of a destination's endpoints: every node by address, those that left lately included. Its
// owner serialises access.
type book struct {
	home    *Destination
	nodes   []*Node
	places  map[string]int // index in nodes
	retired map[string]*Node
}

// set makes eps the whole list.
func (b *book) set(eps []discovery.Endpoint) {
	keep := make(map[string]struct{}, len(eps))
	for i := range eps {
		keep[eps[i].Addr] = struct{}{}
	}
	var gone []string
	for addr := range b.places {
		if _, ok := keep[addr]; !ok {
			gone = append(gone, addr)
		}
	}
	b.diff(eps, gone)
}

// diff adds or revises eps and removes those at the addresses in gone. It works on a copy of the list, because readers
// hold the old one.
func (b *book) diff(eps []discovery.Endpoint, gone []string) {
	if b.places == nil {
		b.places, b.retired = make(map[string]int, len(eps)), make(map[string]*Node)
	}
	b.nodes = append(make([]*Node, 0, len(b.nodes)+len(eps)), b.nodes...)
	for _, addr := range gone {
		b.remove(addr)
	}
	for _, e := range eps {
		b.put(e)
	}
	b.forget()
}

func (b *book) put(e discovery.Endpoint) {
	i, ok := b.places[e.Addr]
	if ok {
		old := b.nodes[i]
		if old.Endpoint().ID == e.ID {
			old.revise(e)
			return
		}
		// Another identity at the same address is another endpoint: none of the old one's connections may serve it.
		old.retire()
		b.nodes[i] = newNode(e, b.home)
		return
	}
	n := b.retired[e.Addr]
	if n != nil && n.Endpoint().ID == e.ID {
		n.revise(e)
		n.Load.Join()
	} else {
		n = newNode(e, b.home)
	}
	delete(b.retired, e.Addr)
	b.places[e.Addr] = len(b.nodes)
	b.nodes = append(b.nodes, n)
}

func (b *book) remove(addr string) {
	i, ok := b.places[addr]
	if !ok {
		return
	}
	n := b.nodes[i]
	last := len(b.nodes) - 1
	b.nodes[i] = b.nodes[last]
	b.places[b.nodes[i].Addr()] = i
	b.nodes = b.nodes[:last]
	delete(b.places, addr)
	b.retired[addr] = n
	n.retire()
}

// forget drops the nodes that left long ago.
func (b *book) forget() {
	now := time.Now()
	for addr, n := range b.retired {
		if n.forgettable(now) && n.Load.InFlight() == 0 {
			delete(b.retired, addr)
		}
	}
}

// listed is what the source says of every endpoint.
func (b *book) listed() []discovery.Endpoint {
	all := make([]discovery.Endpoint, len(b.nodes))
	for i, n := range b.nodes {
		all[i] = n.Endpoint()
	}
	return all
}
