package stack

import (
	"io"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/call"
)

// Node is one endpoint of a destination with all that is known of it. It lives in the client, not in a connection, so
// that what was learnt survives reconnects and changes of the list; both protocols share it.
type Node struct {
	// Load is what balancing compares.
	Load *balance.Node

	endpoint atomic.Pointer[discovery.Endpoint]
	usual    atomic.Int64 // the usual latency in nanoseconds; 0 until one is known
	retired  atomic.Int64 // when it left the list, in Unix nanoseconds; 0 while it is there
	peer     atomic.Pointer[string]
	slots    sync.Map // what wires keep for the endpoint, by wire

	home *Destination

	ejection
}

func newNode(e discovery.Endpoint, d *Destination) *Node {
	n := &Node{Load: balance.NewNode(e), home: d}
	n.outliers = d.outliers
	n.endpoint.Store(&e)
	return n
}

// Endpoint is what the source says of the node now.
func (n *Node) Endpoint() discovery.Endpoint { return *n.endpoint.Load() }

// Addr is the endpoint's address, which never changes.
func (n *Node) Addr() string { return n.endpoint.Load().Addr }

// Service is the name of the service that the node belongs to, whichever subset of it.
func (n *Node) Service() string { return n.home.service }

// Destination is the name of the node's destination, with "/subset" behind the service where it is one.
func (n *Node) Destination() string { return n.home.Name }

// Settings are what the routes of now say of the node's destination; never nil.
func (n *Node) Settings() *traffic.Settings { return n.home.Settings() }

// Routed reports whether there may be such settings at all.
func (n *Node) Routed() bool { return n.home.client.routes != nil }

// Peer is the identity that the endpoint proved last; empty without one.
func (n *Node) Peer() string {
	if id := n.peer.Load(); id != nil {
		return *id
	}
	return ""
}

// Proved notes the identity that the endpoint has just proved.
func (n *Node) Proved(id string) {
	if n.Peer() != id {
		n.peer.Store(&id)
	}
}

// Retired reports whether the endpoint has left its destination.
func (n *Node) Retired() bool { return n.retired.Load() != 0 }

// revise takes what the source newly says of the same endpoint.
func (n *Node) revise(e discovery.Endpoint) {
	n.retired.Store(0)
	if same(n.endpoint.Load(), &e) { // so are nearly all of a set of thousands
		return
	}
	next := e
	n.endpoint.Store(&next)
	n.Load.Revise(e)
}

func same(a, b *discovery.Endpoint) bool {
	return a.Addr == b.Addr && a.Zone == b.Zone && a.Region == b.Region && a.SubZone == b.SubZone &&
		a.Weight == b.Weight && a.ID == b.ID && maps.Equal(a.Metadata, b.Metadata)
}

// retire is called when the endpoint has left the list: calls in flight go on, idle connections are given back.
func (n *Node) retire() {
	n.retired.Store(time.Now().UnixNano())
	n.giveBack()
}

// giveBack closes what is idle, and looks once more a little later: the transport notices after the reader of the last body
// that a connection is idle.
func (n *Node) giveBack() {
	if n.closeIdle() {
		time.AfterFunc(linger, func() { n.closeIdle() })
	}
}

// linger is how much later.
const linger = time.Second

// closeIdle reports whether there was anything that may have something idle.
func (n *Node) closeIdle() (some bool) {
	n.slots.Range(func(_, v any) bool {
		_ = v.(io.Closer).Close()
		some = true
		return true
	})
	return some
}

func (n *Node) closeSlot(key any) {
	if v, ok := n.slots.Load(key); ok {
		_ = v.(io.Closer).Close()
	}
}

// left is called when an attempt at the node is over. The last one at a node that left the list leaves connections
// behind that retire found in use.
func (n *Node) left() {
	n.Load.End()
	if n.Retired() && n.Load.InFlight() == 0 {
		n.giveBack()
	}
}

// Slot is what the wire named key keeps for this endpoint, made by build at the first need. Its Close, which is called
// when the endpoint leaves the list, gives back what is idle; it may be used again after that.
func Slot[T io.Closer](n *Node, key any, build func(*Node) T) T {
	if v, ok := n.slots.Load(key); ok {
		return v.(T)
	}
	v, loaded := n.slots.LoadOrStore(key, build(n))
	if !loaded && n.Retired() {
		// retire has come and gone while this was built.
		_ = v.(io.Closer).Close()
	}
	return v.(T)
}

// usualWeight is the share of a new latency in the usual one: about the last eight calls count.
const usualWeight = 8

// Judge notes how an attempt at the node ended. A failure weighs on it for a while; success teaches its usual latency.
func (n *Node) Judge(class call.Class, a *call.Attempt) {
	switch class {
	case call.Success:
		n.learn(a.Took)
	case call.Canceled:
	default:
		if n.hurried(a) {
			n.doubt()
		} else {
			n.Load.Fail()
		}
	}
}

// hurried reports whether the attempt was given less time than the endpoint usually takes: that it was late is not the
// endpoint's failure then.
func (n *Node) hurried(a *call.Attempt) bool {
	o := &a.Outcome
	return o.Code == call.DeadlineExceeded && o.Status == 0 && int64(a.Took) < n.usual.Load()
}

// doubt makes the usual latency a little less. An endpoint that was slow once and then hangs would otherwise be excused for
// ever, since nothing succeeds any more that would teach another.
func (n *Node) doubt() {
	old := n.usual.Load()
	n.usual.Store(old - old/usualWeight)
}

func (n *Node) learn(took time.Duration) {
	if took <= 0 {
		return // the wire does not know
	}
	old := n.usual.Load()
	if old == 0 {
		n.usual.Store(int64(took))
		return
	}
	// Two that learn at once may lose one lesson; the estimate does not mind.
	n.usual.Store(old + (int64(took)-old)/usualWeight)
}
