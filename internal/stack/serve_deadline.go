package stack

import (
	"context"
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
	if at, ok := c.Ctx.Deadline(); ok && !time.Now().Before(at) {
		return errServeExpired
	}
	if c.Timed {
		c.Ctx, c.cancel = context.WithTimeout(c.Ctx, c.Left)
	}
	return nil
}

func (serveDeadline) End(c *Serve) {
	if c.cancel != nil {
		c.cancel()
	}
}
