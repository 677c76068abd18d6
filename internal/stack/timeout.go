package stack

import (
	"context"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// timeout is the layer that makes an attempt's context, and only where one is needed: the caller's own serves as long as
// nothing is to end before it does.
//
// A unary gRPC attempt ends with its reply, so it has a plain deadline, which grpc sends along. An HTTP attempt lives on
// with its body: the limit for its reply is a timer that is stopped at the headers, see clock.go.
type timeout struct{}

func (timeout) Begin(a *Attempt) error {
	c := a.Call
	left := remaining(c.limit(), a.Start)
	if left < 0 {
		return endOf(context.DeadlineExceeded)
	}
	try := a.tryTime(left)
	if c.Protocol == call.GRPC && try > 0 { // which is no longer than what the caller asked for
		a.under(context.WithDeadline(a.Ctx, a.Start.Add(try)))
		return nil
	}
	if (c.options.Timeout > 0 || c.bounded) && !c.Deadline.IsZero() {
		// The caller asked, or its route, for more than a limit on the reply: this one covers the body too.
		a.under(context.WithDeadline(a.Ctx, c.Deadline))
	}
	if c.Protocol == call.GRPC && !c.Streaming {
		return nil
	}
	if try > 0 || a.idle() > 0 {
		a.startClock(try)
	}
	return nil
}

// tryTime is the attempt's time for a reply; 0 where nothing but the caller's own deadline bounds it, and for streams.
func (a *Attempt) tryTime(left time.Duration) (try time.Duration) {
	c := a.Call
	if c.Streaming {
		return 0
	}
	if c.Retries() && c.exec.Permits(c.series.PassedDown) { // to cut the only attempt short would gain nothing
		try = c.exec.PerTry(left, c.Idempotent && c.Wire.Replayable(), c.Tries)
	}
	if try <= 0 && !c.ReplyBy.IsZero() {
		try = left
	}
	return try
}

// under puts the attempt under a narrower context.
func (a *Attempt) under(ctx context.Context, cancel context.CancelFunc) {
	a.Ctx = ctx
	a.cancelDeadline = cancel
}

// makeEndable gives the attempt a context that ends at the latest when the attempt does, and sooner by End.
func (a *Attempt) makeEndable() {
	if a.cancelDeadline == nil {
		a.under(context.WithCancel(a.Ctx))
	}
}

// End ends the attempt's context, where the wire gives the attempt up. Only for attempts with [Attempt.Spoilers].
func (a *Attempt) End() { a.cancelDeadline() }

func (timeout) End(a *Attempt) {
	a.stopClock()
	if a.cancelDeadline != nil {
		a.cancelDeadline()
	}
}
