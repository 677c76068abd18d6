package resilience

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// Do calls fn until it succeeds or the policy of e says that it is enough, and returns what fn returned last.
//
// fn is called again after an error only if that is safe: the error is marked with [NotExecuted] or is an [ErrShed], or the
// policy declares the calls to be idempotent; never after [Permanent]. Retry.On speaks of answers of HTTP and gRPC and has
// no say here. Where ctx has no deadline, Timeout.Reply sets one. The context that fn gets ends with its attempt, so the
// result must not depend on it.
//
// Errors leave as fn returned them, without the marks. If ctx ends before an attempt, the error is ctx's, with the last
// one of fn behind it. If as many calls are under way as the policy's [Limit] permits, the error is [ErrLimited]; if its
// breaker is open, it is [ErrOpen]; fn is not called then. For the breaker, every other error is a failure, but for the
// caller's own cancellation and what is marked [Permanent], which is an answer. A panic of fn passes through.
func Do[T any](ctx context.Context, e *Executor, fn func(context.Context) (T, error)) (T, error) {
	place, err := e.Admit(ctx, time.Time{}, false)
	if err != nil {
		var none T
		return none, err
	}
	defer e.Leave(place)
	pass, err := e.Enter(ctx)
	if err != nil {
		var none T
		return none, err
	}
	outer, class := ctx, call.Canceled // until it is known, if fn lets it be
	defer func() { pass.Leave(outer, class) }()
	ctx, cancel := e.bound(ctx)
	defer cancel()
	e.Deposit(time.Now())
	s := &Series{Idempotent: e.idempotent, Replayable: true}
	s.begin(ctx)
	defer e.Close(s)
	var last error
	for tries := 1; ; tries++ {
		if ctx.Err() != nil {
			var none T
			return none, ended(ctx.Err(), last)
		}
		v, o := try(ctx, e, tries, fn)
		class = classify(o)
		if o.Err == nil {
			e.Credit()
			return v, nil
		}
		last = unmark(o.Err)
		wait, again := e.repeat(s, o, tries)
		if !again {
			return v, last
		}
		sleep(ctx, wait)
	}
}

// classify is [call.Classify] for functions.
func classify(o call.Outcome) call.Class {
	if o.Err == nil || verdicts(o.Err)&permanent != 0 {
		return call.Success
	}
	return call.Classify(o)
}

// bound gives ctx the policy's time limit where it has no deadline.
func (e *Executor) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok || e.reply == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, e.reply)
}

// begin takes from ctx what the series goes by.
func (s *Series) begin(ctx context.Context) {
	if in := call.InboundFrom(ctx); in != nil {
		s.PassedDown = in.Attempt > 1
	}
	s.Deadline, _ = ctx.Deadline()
}

// try makes one attempt under its own time limit. Its context ends when it returns, and when fn panics.
func try[T any](ctx context.Context, e *Executor, tries int, fn func(context.Context) (T, error)) (T, call.Outcome) {
	var remaining time.Duration
	if d, ok := ctx.Deadline(); ok {
		remaining = max(time.Until(d), 1)
	}
	one := ctx
	if limit := e.PerTry(remaining, e.idempotent, tries); limit > 0 {
		var cancel context.CancelFunc
		one, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	v, err := fn(one)
	return v, outcome(err, ctx.Err(), one.Err())
}

// outcome describes an error of a function in the terms of a call. whole and one are the ends of the contexts of the call
// and of the attempt.
func outcome(err, whole, one error) call.Outcome {
	o := call.Outcome{
		Err:        err,
		Code:       call.CodeOf(err),
		Overloaded: errors.Is(err, ErrShed),
		Expired:    whole == nil && errors.Is(one, context.DeadlineExceeded),
		Canceled:   errors.Is(whole, context.Canceled),
	}
	if verdicts(err)&notExecuted != 0 {
		o.Sent = call.SentNo
	}
	return o
}

// repeat is [Executor.Again] for functions: On does not apply, a mark does.
func (e *Executor) repeat(s *Series, o call.Outcome, tries int) (time.Duration, bool) {
	if verdicts(o.Err)&permanent != 0 {
		return 0, false
	}
	return e.again(s, &conditions{safe: true}, o, tries, time.Now())
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// ended is the error of a call whose context ended before an attempt could begin.
func ended(end, last error) error {
	if last == nil {
		return end
	}
	return fmt.Errorf("resilience: %w before the next attempt; the last one: %w", end, last)
}
