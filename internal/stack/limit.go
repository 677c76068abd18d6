package stack

import (
	"errors"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// limit is the layer that lets calls in as far as the policy's limits permit, and has them wait for a connection where they
// need one of their own. A call is out again when it is over, body or stream included.
type limit struct{}

func (limit) Begin(c *Call) error {
	if !c.exec.Gated() {
		return nil
	}
	alone := c.Protocol == call.HTTP && !c.dest.shares.Load()
	place, err := c.exec.Admit(c.Ctx, c.limit(), alone)
	switch {
	case errors.Is(err, resilience.ErrLimited):
		return &call.Error{Reason: call.Limited, Code: call.Unavailable, Err: err}
	case err == nil:
		c.held = place
		c.waited = c.waited || alone // the clock has to be looked at again
		return nil
	}
	if e := c.over(time.Now()); e != nil {
		return e
	}
	return endOf(err)
}

func (limit) End(c *Call) {
	c.exec.Leave(c.held)
	c.exec.Close(&c.series)
	if c.exec.Credits() && c.succeeded() {
		c.exec.Credit()
	}
}

// succeeded reports whether the call that is over brought what it was to bring.
func (c *Call) succeeded() bool {
	return c.judged && c.last != nil && c.last.Outcome.Err == nil && c.last.Outcome.Status < 400 && !c.broke.Load()
}

// Spoke notes over which version of HTTP an answer came: over HTTP/2 calls share connections, and nobody waits for one.
func (a *Attempt) Spoke(major int) {
	if c := a.Call; !c.Copy {
		c.dest.share(major >= 2)
	}
}

// share notes whether calls share connections.
func (d *Destination) share(shares bool) {
	if d.shares.Load() == shares {
		return
	}
	d.shares.Store(shares)
	if shares {
		d.regime.Load().exec.Share()
	}
}
