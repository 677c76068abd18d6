package clientgrpc

import (
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/stack"
)

// Ready reports whether there is a connection to n. If not, the keeper is asked for one.
func (g *group) Ready(n *stack.Node) bool {
	c := g.conn(n)
	if c == nil || !c.usable() {
		if c == nil || c.State() == connectivity.Idle {
			g.want(n)
		}
		return false
	}
	if !c.used.Load() {
		c.used.Store(true)
	}
	return true
}

// want asks the keeper for a connection.
func (g *group) want(n *stack.Node) {
	g.mu.Lock()
	if g.wanted == nil {
		g.wanted = make(map[*stack.Node]struct{})
	}
	if len(g.wanted) < maxConnecting {
		g.wanted[n] = struct{}{}
	}
	g.mu.Unlock()
	g.nudge()
}

// passes is a filter over the nodes of a ready set.
type passes struct {
	set *readySet
	g   *group
	f   func(*stack.Node) bool
}

func (p *passes) Usable(i int) bool {
	n := p.set.nodes[i]
	if !p.f(n) {
		return false
	}
	c := p.g.conn(n) // the set may be a moment old
	return c != nil && c.usable()
}

// Pick picks among the connections that are ready.
func (g *group) Pick(f func(*stack.Node) bool) *stack.Node {
	set := g.ready.Load()
	if len(set.nodes) == 0 {
		return nil
	}
	i := set.picker.Pick(0, &passes{set, g, f})
	if i < 0 {
		return nil
	}
	n := set.nodes[i]
	if c := g.conn(n); c != nil && !c.used.Load() {
		c.used.Store(true)
	}
	return n
}

// Hope reports whether a connection to an endpoint that passes f may become ready, and sees to it that one is made. It
// looks from a random place, so that many calls that wait for many endpoints that fail do not all look through them all.
func (g *group) Hope(f func(*stack.Node) bool) bool {
	eps := g.dest.Endpoints()
	if eps == nil {
		return true
	}
	n := len(eps.Nodes)
	if int(g.failed.Load()) >= n {
		return false
	}
	start := rand.IntN(n)
	for i := range n {
		if n := eps.Nodes[(start+i)%n]; f(n) && g.promising(n) {
			return true
		}
	}
	return false
}

// serves reports whether a call may begin on a connection of the group. Those that are ready may be full.
func (g *group) serves() bool {
	return slices.ContainsFunc(g.ready.Load().nodes, func(n *stack.Node) bool {
		c := g.conn(n)
		return c != nil && c.usable()
	})
}

// promising reports whether n may soon be ready.
func (g *group) promising(n *stack.Node) bool {
	if n.Retired() {
		return false // the client is closed, or the list is about to change
	}
	c := g.conn(n)
	if c == nil {
		g.want(n)
		return true
	}
	switch c.State() {
	case connectivity.Idle:
		g.want(n)
		return true
	case connectivity.Connecting:
		// While something is ready, which the call has tried already, there is no waiting for what may never connect.
		if !g.serves() {
			return !c.hopeless()
		}
		return time.Now().UnixNano()-c.since.Load() < int64(patience)
	case connectivity.Ready:
		if !c.usable() {
			g.stir() // it is about to be replaced
		}
		return true
	case connectivity.TransientFailure:
		if len(g.ready.Load().nodes) == 0 && !c.hopeless() {
			g.hasten()
			return true
		}
	}
	return false
}

// pickAny serves a call that did not come through the interceptors.
func (g *group) pickAny() (balancer.PickResult, error) {
	if err := g.lb.feed.unsecured(g.dest); err != nil {
		return balancer.PickResult{}, status.Error(codes.Unavailable, err.Error())
	}
	g.touch(time.Now())
	all := func(*stack.Node) bool { return true }
	n := g.Pick(all)
	if n == nil {
		if g.Hope(all) {
			return balancer.PickResult{}, balancer.ErrNoSubConnAvailable
		}
		return balancer.PickResult{}, g.trouble(stack.ErrNotConnected)
	}
	c := g.conn(n)
	if c == nil {
		return balancer.PickResult{}, balancer.ErrNoSubConnAvailable
	}
	ok, counted := c.take()
	if !ok {
		return balancer.PickResult{}, balancer.ErrNoSubConnAvailable
	}
	n.Load.Begin()
	return balancer.PickResult{SubConn: c.sc, Done: func(balancer.DoneInfo) {
		n.Load.End()
		if counted {
			c.leave(clock())
		}
	}}, nil
}
