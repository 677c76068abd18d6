package stack

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// clock bounds two silences of an HTTP attempt with one timer: the time until its headers, then the pauses in its body.
// Neither is a deadline: a body that keeps moving may take as long as it likes.
type clock struct {
	timer  *time.Timer
	cancel context.CancelCauseFunc // nil where the attempt needs no clock
	onBody atomic.Bool             // the timer watches the body
	moved  atomic.Int64            // when the body last moved, in Unix nanoseconds
}

// The causes by which a clock ends an attempt's context.
var (
	errTryTimeout  = errors.New("intramesh: no reply within the attempt's time")
	errIdleTimeout = errors.New("intramesh: the body was silent for too long")
)

// startClock makes the attempt's context end after d unless the reply is there by then; 0 is never.
func (a *Attempt) startClock(d time.Duration) {
	ctx, cancel := context.WithCancelCause(a.Ctx)
	a.Ctx, a.clock.cancel = ctx, cancel
	if d > 0 {
		a.clock.timer = time.AfterFunc(d, a.tick)
	}
}

// Replied stops the wait for the headers, which are there.
func (a *Attempt) Replied() {
	if a.clock.timer != nil {
		a.clock.timer.Stop()
	}
}

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
	a.clock.onBody.Store(true) // publishes the timer to tick, too
	a.clock.timer.Reset(idle)
	return true
}

// IdledOut is the error for a body or stream that the mesh ended for its silence; nil where it did not.
func (a *Attempt) IdledOut() error {
	if a.clock.cancel == nil || context.Cause(a.Ctx) != errIdleTimeout {
		return nil
	}
	return a.Call.refused(&call.Error{Reason: call.Idle, Code: call.DeadlineExceeded, Err: errIdleTimeout})
}

// Moved notes that the body is alive.
func (a *Attempt) Moved() { a.clock.moved.Store(time.Now().UnixNano()) }

// idle is the longest silence on the body; 0 where the caller's own deadline bounds the body, or nothing does.
func (a *Attempt) idle() time.Duration {
	if !a.Call.Deadline.IsZero() {
		return 0
	}
	return a.Call.exec.Idle()
}

func (a *Attempt) tick() {
	if !a.clock.onBody.Load() {
		a.clock.cancel(errTryTimeout)
		return
	}
	idle := a.idle()
	silent := time.Since(time.Unix(0, a.clock.moved.Load()))
	if silent >= idle {
		a.clock.cancel(errIdleTimeout)
		return
	}
	a.clock.timer.Reset(idle - silent)
	if a.ended.Load() { // stopClock came before Reset
		a.clock.timer.Stop()
	}
}

func (a *Attempt) stopClock() {
	if a.clock.timer != nil {
		a.clock.timer.Stop()
	}
	if a.clock.cancel != nil {
		a.clock.cancel(nil)
	}
}
