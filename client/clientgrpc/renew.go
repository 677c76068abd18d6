package clientgrpc

import (
	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/security"
)

// renewed is closed when the client's identity, or what it trusts, has been replaced; nil without an identity.
func (lb *lb) renewed() <-chan struct{} {
	if lb.feed.tls == nil {
		return nil
	}
	return lb.feed.tls.Changed()
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
func (lb *lb) renew() {
	m := lb.material()
	if m == nil {
		return
	}
	connecting := 0
	lb.conns.Range(func(_, v any) bool {
		c := v.(*conn)
		switch {
		case c.next != nil:
			lb.takeOver(c)
		case c.State() == connectivity.Ready && c.of != m:
			if next, err := lb.newConn(c.node); err == nil {
				c.next = next
			}
		}
		if c.next != nil && connecting < maxConnecting {
			if c.next.State() == connectivity.Idle {
				lb.begin(c.next)
			}
			connecting++
		}
		return true
	})
}

// takeOver puts the next connection in the place of c when it is ready, or when c is not any more.
func (lb *lb) takeOver(c *conn) {
	if c.next.State() != connectivity.Ready && c.State() == connectivity.Ready {
		return
	}
	c.next.used.Store(c.used.Load())
	lb.conns.Store(c.node, c.next)
	c.next = nil
	c.sc.Shutdown()
}
