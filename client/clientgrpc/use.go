package clientgrpc

import (
	"time"

	"google.golang.org/grpc/connectivity"
)

// clock is the time since origin.
func clock() time.Duration { return time.Since(origin) }

// born is when the connection became ready.
func (c *conn) born() time.Duration { return time.Duration(c.ready.Load()) }

// last is when it was last used, or made.
func (c *conn) last() time.Duration { return time.Duration(c.left.Load()) }

// usable reports whether a call may begin on the connection: it is ready, has not carried all that it may, and is secured as
// the policy of this moment wants it.
func (c *conn) usable() bool {
	if c.State() != connectivity.Ready {
		return false
	}
	t := c.terms.Load()
	return t.of.TLS == c.group.dest.Settings().TLS && (t.most == 0 || c.picks.Load() < t.most)
}

// take gives the connection a call, where one may begin there.
func (c *conn) take() bool {
	t := c.terms.Load()
	ok := t != nil && t.of.TLS == c.group.dest.Settings().TLS
	if ok && t.most > 0 {
		n := c.picks.Add(1)
		if n == t.worn || n == t.most {
			c.group.nudge()
		}
		ok = n <= t.most
	}
	if !ok {
		c.group.stir()
	}
	return ok
}

// enter counts a call that begins, and reports whether that has to be told to leave.
func (c *conn) enter() bool {
	t := c.terms.Load()
	if t == nil || t.idle == 0 {
		return false
	}
	c.calls.Add(1)
	return true
}

func (c *conn) leave(now time.Duration) {
	c.left.Store(int64(now))
	c.calls.Add(-1)
}

// stir has the keeper look, and tell grpc, so that what waits for a connection asks again.
func (g *group) stir() {
	g.changes.Add(1)
	g.nudge()
}
