package resilience

import (
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/intramesh/intramesh/internal/call"
)

// maxPushback is the longest wait that a server can ask for; beyond it there is no further attempt. Envoy's
// rate-limited back-off ends at 300 s too.
const maxPushback = 300 * time.Second

// Series is the state of one call's retries. The zero value is a call over HTTP that may not be repeated. It belongs to
// one call and is not safe for concurrent use. For the mesh's call path.
type Series struct {
	// Protocol is how the call travels: over gRPC it is the code that counts, over HTTP the status.
	Protocol call.Protocol
	// Idempotent is set where executing the request twice does no harm, by whomever that was said.
	Idempotent bool
	// Replayable is set where the request, body included, can be sent again.
	Replayable bool
	// PassedDown is set where this process is itself serving a retried attempt: then it needs a budget to retry at all, and
	// does not repeat what was refused because of load.
	PassedDown bool

	phase int32 //nolint:modernize // atomic, but copied with a series that has not begun: is a retry counted as under way?

	// Deadline is when the call must be over; an attempt that could only begin then is not made. Zero: none.
	Deadline time.Time
	// Stopped is why Again last said no.
	Stopped Stop

	waits *backoff.ExponentialBackOff
}

// Again decides whether another attempt follows the one that ended with o, and after what wait. It is the one place that
// does, for both protocols. tries counts the attempts begun, all of them ended but for hedges. For the mesh's call path.
//
// The budget is asked last, so that it is not charged for a retry that something else forbids.
func (e *Executor) Again(s *Series, o call.Outcome, tries int, now time.Time) (wait time.Duration, again bool) {
	return e.again(s, &e.on, o, tries, now)
}

func (e *Executor) again(s *Series, on *conditions, o call.Outcome, tries int, now time.Time) (time.Duration, bool) {
	if e.gated {
		e.gate.give(s)
	}
	throttled := e.Credits() && e.takes(s, on, o) && e.tokens.fail()
	if s.Stopped = e.forbidden(s, on, o, tries); s.Stopped != 0 {
		return 0, false
	}
	wait := e.wait(s, o)
	switch {
	case wait > maxPushback && o.HasPushback:
		s.Stopped = StopPushback
	case !s.Deadline.IsZero() && !now.Add(wait).Before(s.Deadline):
		s.Stopped = StopDeadline
	case throttled:
		s.Stopped = StopBudget
	default:
		s.Stopped = e.spend(s, now)
	}
	if s.Stopped != 0 {
		return 0, false
	}
	return wait, true
}

// takes reports whether the outcome costs a token: it is one that the policy repeats, whether or not it does so this time,
// or one that the server does not want to be repeated (gRFC A6).
func (e *Executor) takes(s *Series, on *conditions, o call.Outcome) bool {
	return e.retries > 0 && !o.Canceled && (on.match(s.Protocol, s.Idempotent || e.idempotent, o) || o.HasPushback && o.Pushback < 0)
}

func (e *Executor) forbidden(s *Series, on *conditions, o call.Outcome, tries int) Stop {
	switch {
	case e.retries == 0:
		return StopOff
	case o.Canceled:
		return StopCanceled
	case !on.match(s.Protocol, s.Idempotent || e.idempotent, o):
		return StopOutcome
	case tries > e.retries:
		return StopTries
	case !s.Replayable:
		return StopReplay
	case o.HasPushback && o.Pushback < 0:
		return StopPushback
	case s.PassedDown && (o.Overloaded || e.budget == nil):
		return StopPassedDown
	}
	return 0
}

// wait is the server's advice where there is some, and then the back-off begins anew (gRFC A6).
func (e *Executor) wait(s *Series, o call.Outcome) time.Duration {
	if o.HasPushback {
		if s.waits != nil {
			s.waits.Reset()
		}
		return o.Pushback
	}
	if s.waits == nil {
		s.waits = e.newBackoff()
	}
	return s.waits.NextBackOff()
}
