package clientgrpc

import (
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/internal/stack"
)

// Ready reports whether there is a connection to n. If not, the keeper is asked for one.
func (lb *lb) Ready(n *stack.Node) bool {
	c := lb.conn(n)
	if c == nil || c.State() != connectivity.Ready {
		if c == nil || c.State() == connectivity.Idle {
			lb.want(n)
		}
		return false
	}
	if !c.used.Load() {
		c.used.Store(true)
	}
	return true
}

// want asks the keeper for a connection.
func (lb *lb) want(n *stack.Node) {
	lb.mu.Lock()
	if lb.wanted == nil {
		lb.wanted = make(map[*stack.Node]struct{})
	}
	if len(lb.wanted) < maxConnecting {
		lb.wanted[n] = struct{}{}
	}
	lb.mu.Unlock()
	lb.nudge()
}

// passes is a filter over the nodes of a ready set.
type passes struct {
	set *readySet
	lb  *lb
	f   func(*stack.Node) bool
}

func (p *passes) Usable(i int) bool {
	n := p.set.nodes[i]
	if !p.f(n) {
		return false
	}
	c := p.lb.conn(n) // the set may be a moment old
	return c != nil && c.State() == connectivity.Ready
}

// Pick picks among the connections that are ready.
func (lb *lb) Pick(f func(*stack.Node) bool) *stack.Node {
	set := lb.ready.Load()
	if len(set.nodes) == 0 {
		return nil
	}
	i := set.picker.Pick(0, &passes{set, lb, f})
	if i < 0 {
		return nil
	}
	n := set.nodes[i]
	if c := lb.conn(n); c != nil && !c.used.Load() {
		c.used.Store(true)
	}
	return n
}

// Hope reports whether a connection to an endpoint that passes f may become ready, and sees to it that one is made. It
// looks from a random place, so that many calls that wait for many endpoints that fail do not all look through them all.
func (lb *lb) Hope(f func(*stack.Node) bool) bool {
	eps := lb.feed.dest.Endpoints()
	if eps == nil {
		return true
	}
	n := len(eps.Nodes)
	if int(lb.failed.Load()) >= n {
		return false
	}
	start := rand.IntN(n)
	for i := range n {
		if n := eps.Nodes[(start+i)%n]; f(n) && lb.promising(n) {
			return true
		}
	}
	return false
}

// promising reports whether n may soon be ready.
func (lb *lb) promising(n *stack.Node) bool {
	if n.Retired() {
		return false // the client is closed, or the list is about to change
	}
	c := lb.conn(n)
	if c == nil {
		lb.want(n)
		return true
	}
	switch c.State() {
	case connectivity.Idle:
		lb.want(n)
		return true
	case connectivity.Connecting:
		// While something is ready, which the call has tried already, there is no waiting for what may never connect.
		if len(lb.ready.Load().nodes) == 0 {
			return !c.hopeless()
		}
		return time.Now().UnixNano()-c.since.Load() < int64(patience)
	case connectivity.Ready:
		return true
	case connectivity.TransientFailure:
		if len(lb.ready.Load().nodes) == 0 && !c.hopeless() {
			lb.hasten()
			return true
		}
	}
	return false
}

// pickAny serves a call that did not come through the interceptors.
func (lb *lb) pickAny() (balancer.PickResult, error) {
	all := func(*stack.Node) bool { return true }
	n := lb.Pick(all)
	if n == nil {
		if lb.Hope(all) {
			return balancer.PickResult{}, balancer.ErrNoSubConnAvailable
		}
		return balancer.PickResult{}, lb.trouble(stack.ErrNotConnected)
	}
	c := lb.conn(n)
	if c == nil {
		return balancer.PickResult{}, balancer.ErrNoSubConnAvailable
	}
	n.Load.Begin()
	return balancer.PickResult{SubConn: c.sc, Done: func(balancer.DoneInfo) { n.Load.End() }}, nil
}
