package stack

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// Wire is what differs between HTTP and gRPC: it carries one attempt and says how it ended.
type Wire interface {
	// Try makes the attempt under a.Ctx with a.Fields and returns when a.Outcome is known: at the response's headers
	// (HTTP), the reply (unary gRPC) or the open stream.
	Try(a *Attempt)
	// Drop gives up what Try brought, because another attempt follows.
	Drop(a *Attempt)
	// Answered reports whether what a brought is for the caller as it is: a response, or a status from the peer.
	Answered(a *Attempt) bool
	// Answer makes the attempt one that brought an answer that no server gave, without sending anything. A nil answer is
	// that none came until a.Ctx ended.
	Answer(a *Attempt, answer *call.Answer)
	// Replayable reports whether the request can be sent once more.
	Replayable() bool
	// Request is what routes ask of the call, without Service and HashKey. It is asked only where there are routes.
	Request() traffic.Request
}

// Call is one call on its way through the client's layers. The adapters embed it in their own struct for a call, so that
// a call with one attempt is one allocation.
type Call struct {
	call.Call
	// Wire carries the attempts.
	Wire Wire
	// ChoosesLate is set where the wire asks for the endpoint itself, by [Attempt.Choose], once it knows which
	// connections are ready.
	ChoosesLate bool
	// Direct is set where the endpoint is not the mesh's to choose: the caller's transport or resolver finds it.
	Direct bool

	// What is small stands together: every call is one of these, and their size is most of what it costs the collector.
	waited   bool             // for the registry or a connection, so that Start is not now
	replied  bool             // the observer knows
	trial    bool             // it is the breaker's probe
	judged   bool             // class is known
	held     resilience.Place // that the limits gave
	class    call.Class       // what the last attempt says about the destination
	finished atomic.Bool      // the call is over
	left     atomic.Bool      // the pass has been given back
	broke    atomic.Bool      // the body of the answer broke off
	bounded  bool             // the route's timeout is the call's deadline, and bounds the body too

	client  *Client
	options *Options
	rule    *traffic.Rule   // that the call matched; nil: none
	target  *traffic.Target // that the rule chose; nil: none
	odd     *oddities       // what it has that most calls do not; nil: nothing
	key     uint64          // by which the endpoint is placed, where it is
	dest    *Destination
	exec    *resilience.Executor
	series  resilience.Series
	first   Attempt
	last    *Attempt
	tried   []*Node // backed by room in all but the longest calls
	room    [2]*Node
	watch   call.Watch
	err     error           // that the caller got; known once it is refused or has its reply
	pass    resilience.Pass // the breaker's
}

// Destination is where the call goes; nil until it is routed.
func (c *Call) Destination() *Destination { return c.dest }

// Last is the attempt that brought the answer; nil if there was none.
func (c *Call) Last() *Attempt { return c.last }

// History is what happened at each attempt, the last included.
func (c *Call) History() []call.Attempt {
	if c.last == nil {
		return c.oddity().history
	}
	return append(slices.Clip(c.oddity().history), c.last.Attempt)
}

// Retries reports whether another attempt is possible at all, so that a wire knows whether to prepare for one.
func (c *Call) Retries() bool {
	return c.exec.Retries() > 0 && !c.options.NoRetry && (c.rule == nil || !c.rule.Route.NoRetry)
}

// NeedsSent reports whether it matters to the policy if a failed attempt had been sent, so that a wire knows whether to
// find out.
func (c *Call) NeedsSent() bool { return c.Retries() && c.exec.NeedsSent(c.Idempotent) }

// Finish ends the call: its last attempt, then its layers. It may be called from any goroutine and more than once; only
// the first counts.
func (c *Call) Finish() {
	if c.finished.Swap(true) {
		return
	}
	if c.last != nil {
		c.last.end()
	}
	c.layers().End(c)
}

// next begins the following attempt.
func (c *Call) next() *Attempt {
	a := &c.first
	if c.last != nil {
		odd := c.becomesOdd()
		odd.history = append(odd.history, c.last.Attempt)
		a = new(Attempt)
	}
	c.Tries++
	a.Call, a.Ctx, a.Number, a.Start = c, c.Ctx, c.Tries, c.Start
	if c.Tries > 1 || c.waited {
		a.Start = time.Now()
	}
	c.last = a
	return a
}

// retract takes back the attempt that next made, because it came to nothing before anything was tried.
func (c *Call) retract() {
	c.Tries--
	c.last = nil
}

// report fills the caller's Info, if one was asked for.
func (c *Call) report() {
	if c.options.Record != nil {
		c.options.Record(c)
	}
}

// refused is the error for a call that the mesh did not let pass, or that has no response.
func (c *Call) refused(err error) error {
	var e *call.Error
	if !errors.As(err, &e) {
		e = &call.Error{Reason: call.Broken, Code: call.CodeOf(err), Err: err}
	}
	e.Service, e.Method, e.Attempts, e.Faults = c.Service, c.Method, c.Tries, c.Faults
	if c.rule != nil {
		e.Rule = c.rule.Name
	}
	if c.last != nil {
		e.Endpoint = c.last.Addr
	} else if h := c.oddity().history; len(h) > 0 {
		e.Endpoint = h[len(h)-1].Addr
	}
	return e
}

// over is the error for a call whose context or time has ended; nil if neither has.
func (c *Call) over(now time.Time) *call.Error {
	if err := c.Ctx.Err(); err != nil {
		return endOf(err)
	}
	if limit := c.limit(); !limit.IsZero() && !now.Before(limit) {
		return endOf(context.DeadlineExceeded)
	}
	return nil
}

func endOf(err error) *call.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &call.Error{Reason: call.Deadline, Code: call.DeadlineExceeded, Err: err}
	}
	return &call.Error{Reason: call.CallerCanceled, Code: call.CanceledCode, Err: err}
}

// limit is when the time for a reply is over; zero for never.
func (c *Call) limit() time.Time {
	if c.Deadline.IsZero() || (!c.ReplyBy.IsZero() && c.ReplyBy.Before(c.Deadline)) {
		return c.ReplyBy
	}
	return c.Deadline
}
