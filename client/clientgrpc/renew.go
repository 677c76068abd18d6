package clientgrpc

import (
	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/security"
)

// renewed is closed when the client's identity, or what it trusts, has been replaced; nil without an identity. Where that has
// happened since the keeper last asked, all connections are to be looked at.
func (lb *lb) renewed() <-chan struct{} {
	if lb.feed.tls == nil {
		return nil
	}
	changed := lb.feed.tls.Changed()
	if m := lb.material(); m != lb.of {
		lb.of = m
		lb.each(func(g *group) { g.dirty.Store(true) })
	}
	return changed
}

// material is the identity of now; nil without one.
func (lb *lb) material() *security.Material {
	if lb.feed.tls == nil {
		return nil
	}
	return lb.feed.tls.Material()
}

// renew replaces connections that were made with an identity that has been replaced since: a server refuses a connection
// whose certificate has expired meanwhile. The new one takes over when it is ready, so that no call waits for it; calls
// and streams on the old one go on to their end.
func (g *group) renew() {
	m := g.lb.material()
	if m == nil {
		return
	}
	connecting := 0
	g.conns.Range(func(_, v any) bool {
		c := v.(*conn)
		switch {
		case c.next != nil:
			g.takeOver(c)
		case c.State() == connectivity.Ready && c.of != m:
			if next, err := g.newConn(c.node); err == nil {
				c.next = next
			}
		}
		if c.next != nil && connecting < maxConnecting {
			if c.next.State() == connectivity.Idle {
				g.begin(c.next)
			}
			connecting++
		}
		return true
	})
}

// takeOver puts the next connection in the place of c when it is ready, or when c is not any more.
func (g *group) takeOver(c *conn) {
	if c.next.State() != connectivity.Ready && c.State() == connectivity.Ready {
		return
	}
	c.next.used.Store(c.used.Load())
	g.conns.Store(c.node, c.next)
	c.next = nil
	c.sc.Shutdown()
}
