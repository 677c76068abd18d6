package stack

import (
	"errors"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// errServeExpired refuses a request that nobody waits for any more. It is not marked as refused for overload: the
// caller's time is over at every other endpoint too.
var errServeExpired = &call.Error{
	Reason: call.Deadline,
	Code:   call.DeadlineExceeded,
	Err:    errors.New("the caller's deadline had passed when the request arrived; no work was done"),
}

// serveDeadline ends the request's context when the caller's time is over. A context is made only where a header tells a
// time: grpc has made its own by now.
type serveDeadline struct{}

func (serveDeadline) Begin(c *Serve) error {
	if c.Timed && c.Left <= 0 {
		return errServeExpired
	}
	at, bounded := c.Ctx.Deadline()
	if !bounded && !c.Timed {
		return nil
	}
	now := c.Start // a moment ago, where the observer has asked for it
	if now.IsZero() {
		now = time.Now()
	}
	if bounded && !now.Before(at) {
		return errServeExpired
	}
	if c.Timed {
		c.time = &serveTime{Context: c.Ctx, at: now.Add(c.Left)}
		c.Ctx = c.time
	}
	return nil
}

func (serveDeadline) End(c *Serve) {
	if c.time != nil {
		c.time.end()
	}
}
