package stack

import (
	"context"

	"github.com/intramesh/intramesh/internal/call"
)

// breaker is the layer that asks the destination's circuit breaker for leave, and tells it how the call ended: once it is
// over, body or stream included. A failure is told at once, since nothing that follows could mend it, and so is the
// answer to a probe, for which everybody else waits.
type breaker struct{ events *events }

func (b breaker) Begin(c *Call) error {
	pass, err := c.exec.Enter(c.Ctx)
	if err != nil {
		b.events.tell()
		return &call.Error{Reason: call.BreakerOpen, Code: call.Unavailable, Err: err}
	}
	c.pass, c.trial = pass, pass.Probe()
	if c.trial {
		b.events.tell() // that it is half-open
	}
	return nil
}

func (b breaker) End(c *Call) { c.leave(c.verdict()) }

// answered is called when the call has its reply, or none. Streams have none before they are over.
func (c *Call) answered() {
	if c.Streaming {
		return
	}
	if class := c.verdict(); c.trial || class == call.Failure || class == call.Refused {
		c.leave(class)
	}
}

// Probing reports whether others wait for what comes of this call: the first message of a stream is to be told by Alive.
func (c *Call) Probing() bool { return c.trial || c.last.probe.Load() != nil }

// Alive is called when a stream's first message has arrived. A stream may last for days, and a probe must not.
func (c *Call) Alive() {
	if c.trial {
		c.leave(call.Success)
	}
	c.last.readmit()
}

// Broke is called when the peer broke off the body of its answer.
func (c *Call) Broke() { c.broke.Store(true) }

func (c *Call) leave(class call.Class) {
	// Alive and Finish may meet; the second one has nothing to say.
	if c.left.Swap(true) {
		return
	}
	c.pass.Leave(c.Ctx, class)
	c.client.events.tell()
}

// verdict is what the call says about its destination: how its last attempt ended. Where it says nothing, which is so for
// calls that never got to an attempt, whose caller gave up, or whose time was shorter than the endpoint takes usually, it
// is Canceled.
func (c *Call) verdict() call.Class {
	if !c.judged {
		return call.Canceled
	}
	class := c.class
	if c.Streaming && c.last != nil {
		class = c.streamVerdict(class)
	}
	if class == call.Success && c.broke.Load() {
		return call.Failure
	}
	return class
}

// streamVerdict is how the stream ended, which its wire has put into the attempt. The caller's own deadline ends streams
// that are well, too.
func (c *Call) streamVerdict(class call.Class) call.Class {
	switch {
	case c.last.Outcome.Err == nil:
		return class
	case c.Ctx.Err() == context.DeadlineExceeded: //nolint:errorlint // contexts return this very value
		return call.Canceled
	}
	return call.Classify(c.last.Outcome)
}
