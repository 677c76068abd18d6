package clientgrpc

import (
	"slices"
	"time"

	"google.golang.org/grpc/connectivity"
)

// renew replaces connections whose time is over. Calls and streams on the old one go on to their end.
//
// Where the identity or the policy for connections has changed, or a connection has become old, the next one takes over when
// it is ready, so that no call waits for it. Where calls must not go over the old one any more, because it has carried as
// many as it may, or is secured in another way than the policy wants, the next one takes its place at once, ready or not.
func (g *group) renew() {
	of, now, connecting := g.present(), clock(), 0
	g.conns.Range(func(_, v any) bool {
		c := v.(*conn)
		switch {
		case c.node.Retired():
			return true // it is closed soon
		case c.idled(now):
			g.close(c)
			g.rested = true
			return true
		case c.barred(of):
			g.supersede(c, of)
		case c.next != nil:
			g.takeOver(c)
		case c.outlived(of, now):
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
	g.succeed(c, c.used.Load())
}

// supersede puts another connection in the place of c at once. A call that was given to c and has not begun may still begin
// there, unless c is secured in another way than it should be.
func (g *group) supersede(c *conn, of *terms) {
	if c.next != nil && c.next.terms.Load() != nil && c.next.terms.Load().of.TLS != of.of.TLS {
		c.next.sc.Shutdown()
		c.next = nil
	}
	if c.next == nil {
		next, err := g.newConn(c.node)
		if err != nil {
			return // the ClientConn is closing
		}
		c.next = next
	}
	g.succeed(c, true)
}

func (g *group) succeed(c *conn, used bool) {
	c.next.used.Store(used)
	g.conns.Store(c.node, c.next)
	c.next = nil
	t := c.terms.Load()
	if c.State() != connectivity.Ready || !t.bounded() || t.of.TLS != g.present().of.TLS {
		c.sc.Shutdown()
		return
	}
	c.parting.Store(true)
	g.parted = append(g.parted, c)
	g.stir() // the endpoint may not be ready any more
}

// seeOff closes connections that have been replaced, when the calls on them are over. What is closed at once loses the calls
// that were given to it and have not begun: grpc looks at a connection only after it was chosen, and at its state again when
// the credentials of the call are known. It would choose anew, so that a connection of which the last call is the reason to
// replace it would carry one less than it may, and one that may carry a single call might never carry any.
func (g *group) seeOff() {
	g.parted = slices.DeleteFunc(g.parted, func(c *conn) bool {
		over := c.calls.Load() == 0
		if over {
			c.sc.Shutdown()
		}
		return over
	})
}

// barred reports whether no call may begin on the connection any more, or where it failed, whether by other terms it may not.
func (c *conn) barred(of *terms) bool {
	t := c.terms.Load()
	if t == nil {
		return false
	}
	switch c.State() {
	case connectivity.Ready:
		return t.of.TLS != of.of.TLS || t.most > 0 && c.picks.Load() >= t.most
	case connectivity.Connecting:
		return t.of.TLS != of.of.TLS
	case connectivity.TransientFailure:
		return t.of != of.of
	}
	return false // it is made by the terms of the moment
}

// outlived reports whether the connection is to be replaced when there is another.
func (c *conn) outlived(of *terms, now time.Duration) bool {
	if c.State() != connectivity.Ready {
		return false
	}
	t := c.terms.Load()
	return t.of != of.of || t.age > 0 && now-c.born() >= t.age || t.worn > 0 && c.picks.Load() >= t.worn
}

// idled reports whether nobody has used the connection for as long as it may be idle.
func (c *conn) idled(now time.Duration) bool {
	t := c.terms.Load()
	return c.State() == connectivity.Ready && t.idle > 0 && c.calls.Load() == 0 && now-c.last() >= t.idle
}

// due is in what time the keeper has to look at the connection without any news; 0: never.
func (c *conn) due(now time.Duration) (in time.Duration) {
	t := c.terms.Load()
	if t.age > 0 && c.next == nil {
		in = max(c.born()+t.age-now, 0)
	}
	if t.idle > 0 {
		idle := c.last() + t.idle - now
		if idle <= 0 { // calls are under way; the end of each would be too often to look
			idle = t.idle
		}
		if in == 0 || idle < in {
			in = idle
		}
	}
	return in
}
