package stack

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// Attempt is one try of a [Call].
type Attempt struct {
	call.Attempt
	Call *Call
	// Ctx is what the attempt runs under. It ends when the attempt does, so that bodies and streams live as long as
	// they are read.
	Ctx context.Context
	// Node is the endpoint; nil until one is chosen, and where the choice is not the mesh's.
	Node *Node
	// Fields are the headers that the attempt carries beyond the caller's own, names in lower case.
	Fields []Field
	// Reply is what the wire got; its type is the wire's own.
	Reply any
	// OnIdle, if not nil, is called when the body was silent for too long. The wire sets it before WatchBody where the end
	// of Ctx does not end the body, as with a connection that has switched protocols.
	OnIdle func()

	clock          clock
	cancelDeadline context.CancelFunc // nil where the attempt has no deadline of its own
	fieldRoom      [2]Field
	watch          call.Watch
	missing        *call.Error // why the last choice found no endpoint; nil if it found one
	held           bool        // Node counts this attempt as in flight
	fine           bool        // the reply was good; Node hears of it when the body is over
	dose           *dose       // the faults that were drawn for it; nil: none
	filter         filter
	skipped        []*Node // that cannot be connected to, while a place is looked for
	ended          atomic.Bool
	probe          atomic.Pointer[Node] // the node that this attempt finds out about; nil: none
	claimed        atomic.Int64         // when it began to
	among          *Endpoints           // that filter narrows
}

// Field is one header or metadata entry.
type Field = call.Field

// Take makes n the attempt's endpoint and counts the attempt there.
func (a *Attempt) Take(n *Node) {
	a.Node, a.Addr, a.held = n, n.Addr(), true
	n.Load.Begin()
}

// try hands the attempt to its endpoint's connections and judges what came back.
func (a *Attempt) try() call.Class {
	c := a.Call
	c.judged = false
	if a.dose == nil {
		c.Wire.Try(a)
	} else {
		a.suffer()
	}
	a.Took = time.Since(a.Start)
	a.judge()
	class := call.Classify(a.Outcome)
	c.class, c.judged = class, true
	switch {
	case a.missing != nil:
		c.class = call.Canceled // nobody was asked
	case a.Node != nil && a.Node.hurried(&a.Attempt):
		c.class = call.Canceled
	}
	if a.Node != nil && a.held {
		a.judgeReply(class)
	}
	return class
}

// judge adds to the outcome what only the call path knows: whose clock ran out.
func (a *Attempt) judge() {
	o := &a.Outcome
	if o.Err == nil {
		return
	}
	c := a.Call
	switch err := c.Ctx.Err(); {
	case err == context.Canceled:
		o.Canceled, o.Code = true, call.CanceledCode
	case err != nil:
		o.Code = call.DeadlineExceeded
	case a.Ctx.Err() != nil || a.clock.phase.Load() == expired:
		// The attempt's own clock. Where the call's has run out too there is no time left for another.
		o.Code = call.DeadlineExceeded
		o.Expired = c.over(a.Start.Add(a.Took)) == nil
	}
}

// end gives back all that the attempt holds. Only the first call counts.
func (a *Attempt) end() {
	if a.ended.Swap(true) {
		return
	}
	a.Call.client.attempts.End(a)
	a.judgeBody()
	a.release()
	if a.held {
		a.Node.left()
	}
}

// refusal is the error for an attempt that brought no answer.
func (a *Attempt) refusal() *call.Error {
	o := a.Outcome
	e := &call.Error{Code: o.Code, Err: o.Err, Reason: call.Broken}
	switch {
	case o.Canceled:
		e.Reason = call.CallerCanceled
	case o.Expired:
		e.Reason = call.TryTimeout
	case o.Code == call.DeadlineExceeded:
		e.Reason = call.Deadline
	case o.Sent == call.SentNo:
		e.Reason = call.ConnectFailed
	}
	// A caller that branches on the context's error must find it, whatever the transport made of it.
	switch e.Code {
	case call.DeadlineExceeded:
		e.Err = ended(e.Err, context.DeadlineExceeded)
	case call.CanceledCode:
		e.Err = ended(e.Err, context.Canceled)
	}
	return e
}

// endError is the transport's error for an attempt that the end of a context or a clock of the mesh ended.
type endError struct {
	error

	is error // context.DeadlineExceeded or context.Canceled
}

func ended(err, is error) error {
	if errors.Is(err, is) {
		return err
	}
	return endError{err, is}
}

func (e endError) Is(target error) bool { return target == e.is }
func (e endError) Unwrap() error        { return e.error }
func (e endError) Timeout() bool        { return e.is == context.DeadlineExceeded } //nolint:errorlint // one of two values
