package clientgrpc

import (
	"sync/atomic"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// conn is a grpc.ClientConn's connection to one endpoint.
type conn struct {
	group *group
	node  *stack.Node
	sc    balancer.SubConn
	state atomic.Uint32 // a connectivity.State
	since atomic.Int64  // when the last attempt to connect began or failed, in Unix nanoseconds
	fails atomic.Int32  // failed attempts to connect, one after the other
	used  atomic.Bool   // chosen since it was last made: worth making again when it is lost

	of   *security.Material // the identity that it was made with; the keeper's
	next *conn              // what is to replace it; the keeper's
}

// nodeKey is where an address carries its endpoint, for dialers and credentials.
type nodeKey struct{}

// newConn makes an idle connection. Only the keeper calls it.
func (g *group) newConn(n *stack.Node) (*conn, error) {
	c := &conn{group: g, node: n}
	c.state.Store(uint32(connectivity.Idle))
	addr := resolver.Address{Addr: n.Addr(), Attributes: attributes.New(nodeKey{}, n)}
	//nolint:staticcheck // deprecated for more than one address only
	sc, err := g.lb.cc.NewSubConn([]resolver.Address{addr}, balancer.NewSubConnOptions{StateListener: c.changed})
	c.sc = sc
	return c, err
}

// State is what grpc last said of the connection.
func (c *conn) State() connectivity.State { return connectivity.State(c.state.Load()) }

// changed is called by grpc, one change at a time.
func (c *conn) changed(s balancer.SubConnState) {
	switch s.ConnectivityState {
	case connectivity.Connecting:
		return // by the keeper's own doing
	case connectivity.TransientFailure:
		c.failed()
		if s.ConnectionError != nil {
			c.group.lastErr.Store(&s.ConnectionError)
		}
	case connectivity.Ready:
		c.fails.Store(0)
	}
	c.state.Store(uint32(s.ConnectivityState))
	c.group.changes.Add(1)
	c.group.nudge()
}

// failed counts a failed attempt to connect. One that took long was no server that is being restarted: it counts as many.
func (c *conn) failed() {
	now := time.Now().UnixNano()
	if now-c.since.Swap(now) > int64(patience) {
		c.fails.Add(hopelessAfter)
		return
	}
	c.fails.Add(1)
}

func (g *group) conn(n *stack.Node) *conn {
	c, _ := g.conns.Load(n)
	found, _ := c.(*conn)
	return found
}
