package stack

import (
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// fanOut turns the call into attempts. It is the one owner of retries, the budget and the choice of endpoints, for both
// protocols: nothing beneath it repeats a request on its own account. (Hedged attempts will start here too: an attempt
// holds all of its own state for that.)
func (s *Client) fanOut(c *Call) error {
	c.exec.Deposit(c.Start) // not sooner: a call that was refused above earns no retries
	for {
		a := c.next()
		if err := s.begin(a); err != nil {
			c.retract()
			return c.refused(err)
		}
		class := a.try()
		if class == call.Success {
			return nil
		}
		if a.missing != nil && a.Outcome.Code == call.Unavailable {
			// The wire asked for an endpoint, and there is none: as where the fan-out itself looks for one.
			a.end()
			c.retract()
			return c.refused(a.missing)
		}
		wait, again := s.again(c, a)
		if !again {
			return c.conclude(a)
		}
		c.Wire.Drop(a)
		a.end()
		c.note(a)
		if err := c.pause(wait); err != nil {
			return c.refused(err)
		}
	}
}

// begin chooses the attempt's endpoint and takes it through the layers.
func (s *Client) begin(a *Attempt) error {
	c := a.Call
	if !c.ChoosesLate && !c.dest.direct {
		n, err := a.Choose(nil)
		if err != nil {
			return err
		}
		a.Take(n)
	}
	if err := s.attempts.Begin(a); err != nil {
		if a.held {
			a.held = false
			a.Node.left()
		}
		a.release()
		a.ended.Store(true)
		return err
	}
	return nil
}

// again asks the policy whether another attempt follows.
func (s *Client) again(c *Call, a *Attempt) (time.Duration, bool) {
	if !c.Retries() {
		return 0, false
	}
	c.series.Replayable = c.Wire.Replayable()
	return c.exec.Again(&c.series, a.Outcome, c.Tries, time.Now())
}

// Permit asks the policy, budget included, for a retry that grpc makes of a stream by itself: the one repetition that does
// not start here, because only grpc can replay a stream. The attempt's endpoint is not chosen again.
func (a *Attempt) Permit(o call.Outcome) bool {
	c := a.Call
	if !c.Retries() {
		return false
	}
	c.series.Replayable = true
	if _, again := c.exec.Again(&c.series, o, c.Tries, time.Now()); !again {
		return false
	}
	c.Tries++
	return true
}

// conclude gives the caller what the last attempt brought: the peer's answer as it is, or an error of the mesh.
func (c *Call) conclude(a *Attempt) error {
	if c.Wire.Answered(a) {
		return nil
	}
	c.Wire.Drop(a)
	return c.refused(a.refusal())
}

// note remembers the attempt's endpoint, so that the next one goes elsewhere.
func (c *Call) note(a *Attempt) {
	if a.Node == nil {
		return
	}
	if c.tried == nil {
		c.tried = c.room[:0]
	}
	c.tried = append(c.tried, a.Node)
}

// pause waits for d, or less where the caller gives up.
func (c *Call) pause(d time.Duration) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.Ctx.Done():
		}
	}
	if e := c.over(time.Now()); e != nil {
		return e
	}
	return nil
}
