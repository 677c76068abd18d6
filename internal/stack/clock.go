package stack

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// clock bounds two silences of an HTTP attempt with one timer: the wait for its headers, then the pauses in its body.
// Neither is a deadline: a body that keeps moving may take as long as it likes, in either direction.
type clock struct {
	timer  *time.Timer
	cancel context.CancelCauseFunc // nil where the attempt needs no clock
	wait   time.Duration           // for the headers, counted from when the request's body last moved
	phase  atomic.Int32
	moved  atomic.Int64 // when a body last moved, in nanoseconds since the attempt began; 0: not yet
}

// The phases of a clock. A wait for headers ends in one way only, however close the timer and the headers are.
const (
	waiting int32 = iota
	replied       // the headers came in time
	expired       // they did not
	onBody        // the timer watches the body
	stopped
)

// The causes by which a clock ends an attempt's context.
var (
	errTryTimeout  = errors.New("intramesh: no reply within the attempt's time")
	errIdleTimeout = errors.New("intramesh: the body was silent for too long")
)

// startClock makes the attempt's context end after d unless the reply is there by then; 0 is never.
func (a *Attempt) startClock(d time.Duration) {
	ctx, cancel := context.WithCancelCause(a.Ctx)
	a.Ctx, a.clock.cancel, a.clock.wait = ctx, cancel, d
	if d > 0 {
		a.clock.timer = time.AfterFunc(d, a.tick)
	}
}

// Replied stops the wait for the headers, which are there. It reports whether they came in time: if not, the attempt's
// context has ended and its body cannot be read, see [Attempt.Late].
func (a *Attempt) Replied() bool {
	if !a.clock.phase.CompareAndSwap(waiting, replied) {
		return false
	}
	if a.clock.timer != nil {
		a.clock.timer.Stop()
	}
	return true
}

// Late is the error for a reply that came too late.
func (a *Attempt) Late() error { return errTryTimeout }

// Waits reports whether the wait for the reply is bounded, so that it matters when the request's body moves.
func (a *Attempt) Waits() bool { return a.clock.wait > 0 }

// WatchBody starts the watch for silence on the body, if the policy has one, and reports whether it did. From then on
// the wire calls [Attempt.Moved] whenever the body moved.
func (a *Attempt) WatchBody() bool {
	idle := a.idle()
	if idle <= 0 || a.clock.cancel == nil {
		return false
	}
	a.Moved()
	if a.clock.timer == nil {
		a.clock.timer = time.AfterFunc(idle+time.Hour, a.tick)
	}
	a.clock.phase.Store(onBody) // publishes the timer to tick, too
	a.clock.timer.Reset(idle)
	return true
}

// IdledOut is the error for a body or stream that the mesh ended for its silence; nil where it did not.
func (a *Attempt) IdledOut() error {
	if a.clock.cancel == nil || context.Cause(a.Ctx) != errIdleTimeout { //nolint:errorlint // the very error that tick gave
		return nil
	}
	return a.Call.refused(&call.Error{Reason: call.Idle, Code: call.DeadlineExceeded, Err: endError{errIdleTimeout, context.DeadlineExceeded}})
}

// Overran is the error for a stream that ended with a deadline which the mesh had set, by the call's options or its route;
// nil where it was the caller's own.
func (a *Attempt) Overran() error {
	c := a.Call
	if a.Ctx.Err() != context.DeadlineExceeded || c.Ctx.Err() != nil { //nolint:errorlint // contexts return these very values
		return nil //nolint:nilerr // the caller's own
	}
	return c.refused(&call.Error{Reason: call.Deadline, Code: call.DeadlineExceeded, Err: context.DeadlineExceeded})
}

// Moved notes that a body is alive. Streams call it for every message, and the time since a moment is read in half the time
// that the time of day takes: it needs one clock and not two. It does not jump when the latter is set, either.
func (a *Attempt) Moved() { a.clock.moved.Store(int64(time.Since(a.Start))) }

// idle is the longest silence on the body; 0 where the caller's own deadline bounds the body, or nothing does.
func (a *Attempt) idle() time.Duration {
	if !a.Call.Deadline.IsZero() {
		return 0
	}
	return a.Call.exec.Idle()
}

// tick is called when the timer fires.
func (a *Attempt) tick() {
	k := &a.clock
	switch k.phase.Load() {
	case waiting:
		if a.again(k.wait) {
			return
		}
		if k.phase.CompareAndSwap(waiting, expired) {
			k.cancel(errTryTimeout)
		}
	case onBody:
		if !a.again(a.idle()) {
			k.cancel(errIdleTimeout)
			if a.OnIdle != nil {
				a.OnIdle()
			}
		}
	}
}

// again sets the timer anew if the last move was less than limit ago. Whoever moved before has seen the timer.
func (a *Attempt) again(limit time.Duration) bool {
	k := &a.clock
	silent := time.Since(a.Start) - time.Duration(k.moved.Load())
	if silent >= limit {
		return false
	}
	k.timer.Reset(limit - silent)
	if k.phase.Load() == stopped { // stopClock came before Reset
		k.timer.Stop()
	}
	return true
}

func (a *Attempt) stopClock() {
	k := &a.clock
	if k.cancel == nil {
		return
	}
	k.phase.Store(stopped)
	if k.timer != nil {
		k.timer.Stop()
	}
	k.cancel(nil)
}
