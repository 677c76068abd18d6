package clientgrpc

import (
	"errors"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/intramesh/intramesh/internal/stack"
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

	terms  atomic.Pointer[terms]  // by which it was made last; nil: it never was
	making atomic.Pointer[making] // while it is being made
	picks  atomic.Int64           // calls that were given to it since it was made, where they are bounded
	calls  atomic.Int64           // under way on it, chosen or begun, where its use is bounded; left is then kept
	ready  atomic.Int64           // when it became ready, by clock
	left   atomic.Int64           // when the last call on it ended, or when it became ready, by clock

	next    *conn       // what is to replace it; the keeper's
	parting atomic.Bool // it has been replaced, and is closed when no call is under way on it
}

// connKey is where an address carries its connection, for dialers and credentials.
type connKey struct{}

// newConn makes an idle connection. Only the keeper calls it.
func (g *group) newConn(n *stack.Node) (*conn, error) {
	c := &conn{group: g, node: n}
	c.state.Store(uint32(connectivity.Idle))
	addr := resolver.Address{Addr: n.Addr(), Attributes: attributes.New(connKey{}, c)}
	//nolint:staticcheck // deprecated for more than one address only
	sc, err := g.lb.cc.NewSubConn([]resolver.Address{addr}, balancer.NewSubConnOptions{StateListener: c.changed})
	c.sc = sc
	return c, err
}

// State is what grpc last said of the connection.
func (c *conn) State() connectivity.State { return connectivity.State(c.state.Load()) }

// changed is called by grpc, one change at a time.
func (c *conn) changed(s balancer.SubConnState) {
	if s.ConnectivityState == connectivity.Connecting {
		return // by the keeper's own doing
	}
	late := c.made()
	switch s.ConnectivityState {
	case connectivity.TransientFailure:
		c.failed()
		if err := s.ConnectionError; err != nil {
			if late != nil && !errors.Is(err, late) {
				err = late
			}
			c.group.lastErr.Store(&err)
		}
	case connectivity.Ready:
		c.fails.Store(0)
		now := int64(clock())
		c.ready.Store(now)
		c.left.Store(now)
	}
	c.state.Store(uint32(s.ConnectivityState))
	if !c.parting.Load() {
		c.group.stir()
	}
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
