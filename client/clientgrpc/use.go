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

// take gives the connection a call, where one may begin there, and reports whether the call has to be told to leave. The
// call is under way before it counts as one of those that the connection may carry: so when these are used up, each of
// them is either under way or over.
//
// The endpoint may have got another connection since it was chosen. That one is not taken before it is known to be ready,
// though grpc, which knows first, would send the call.
func (c *conn) take() (ok, counted bool) {
	t := c.terms.Load()
	if t == nil || c.State() != connectivity.Ready || t.of.TLS != c.group.dest.Settings().TLS {
		c.group.stir()
		return false, false
	}
	if counted = t.bounded(); counted {
		c.calls.Add(1)
	}
	if t.most == 0 {
		return true, counted
	}
	n := c.picks.Add(1)
	if n == t.worn || n == t.most {
		c.group.nudge()
	}
	if n > t.most {
		c.calls.Add(-1)
		c.group.stir()
		return false, false
	}
	return true, true
}

// anew has the connection, which is about to be made, carry as many calls as any. What was given to it before and is not
// over counts: grpc may not have looked yet at what was chosen, and would then use what is made now.
func (c *conn) anew() {
	c.picks.Add(-c.picks.Load()) // no Store, which would lose a call that is counted at this moment
	c.picks.Add(c.calls.Load())
}

// leave ends a call. The last one on a connection that has been replaced has the keeper close it.
func (c *conn) leave(now time.Duration) {
	c.left.Store(int64(now))
	if c.calls.Add(-1) == 0 && c.parting.Load() {
		c.group.nudge()
	}
}

// stir has the keeper look, and tell grpc, so that what waits for a connection asks again.
func (g *group) stir() {
	g.changes.Add(1)
	g.nudge()
}
