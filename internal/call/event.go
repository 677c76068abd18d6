package call

import (
	"context"
	"strconv"
	"time"
)

// EventKind says what has changed.
type EventKind uint8

// The changes of state that are told as they happen. Every other number of the mesh can be read when it is wanted.
const (
	// BreakerOpened: calls to a service are refused for Event.For, because Event.Reason.
	BreakerOpened EventKind = iota + 1
	// BreakerHalfOpen: the open time is over, and one call may find out whether the service is well.
	BreakerHalfOpen
	// BreakerClosed: calls pass again.
	BreakerClosed
	// EndpointEjected: an endpoint is not chosen for Event.For, because Event.Reason.
	EndpointEjected
	// EndpointReadmitted: an ejected endpoint is chosen again, like every other.
	EndpointReadmitted
	// PanicEntered: so many endpoints of a service are ejected that ejections are ignored.
	PanicEntered
	// PanicLeft: ejections count again.
	PanicLeft
	// PolicyRefused: a new policy of routes cannot be honoured or had, and the last good one stays in force.
	PolicyRefused
	// EndpointSuspected: an endpoint would be ejected because of Event.Reason, but chance, as the policy sets it, spares it.
	EndpointSuspected
)

var eventKinds = [...]string{
	"", "breaker_opened", "breaker_half_open", "breaker_closed", "endpoint_ejected", "endpoint_readmitted",
	"panic_entered", "panic_left", "policy_refused", "endpoint_suspected",
}

// String is one word, fit for a metric's label.
func (k EventKind) String() string {
	if int(k) < len(eventKinds) {
		return eventKinds[k]
	}
	return "event(" + strconv.Itoa(int(k)) + ")"
}

// The reasons of events. There are few, so that they may label a metric.
const (
	FailureRatio       = "failure_ratio"       // the breaker: too large a share of the calls failed
	ProbeFailed        = "probe_failed"        // the one call that was let through to find out failed
	ProbeSucceeded     = "probe_succeeded"     // it succeeded
	Consecutive5xx     = "consecutive_5xx"     // the endpoint: so many failures in a row
	ConsecutiveGateway = "consecutive_gateway" // the endpoint: so many 502, 503, 504 and failed connections in a row
	PolicyChanged      = "policy_changed"      // the policy that decided so is no longer in force
	EjectedShare       = "ejected_share"       // panic: the share of ejected endpoints crossed the threshold
	EndpointsChanged   = "endpoints_changed"   // the list became too short for so many ejections
	BadPolicy          = "bad_policy"          // the policy: its source failed, or said what cannot be honoured

	ConsecutiveLocalOrigin = "consecutive_local_origin" // the endpoint: so many attempts without an answer in a row
	SuccessRate            = "success_rate"             // the endpoint: it succeeds less often than the others
	SuccessRateLocal       = "success_rate_local"       // the endpoint: it answers less often than the others
	FailurePercentage      = "failure_percentage"       // the endpoint: too large a share of its answers are failures
	FailurePercentageLocal = "failure_percentage_local" // the endpoint: too large a share of attempts has no answer
)

// Event is one change of state.
type Event struct {
	Kind EventKind
	// Time is when it happened.
	Time time.Time
	// Service is the destination's name.
	Service string
	// Endpoint is the address of the endpoint; empty for what concerns the whole service.
	Endpoint string
	// Reason is one of the words above.
	Reason string
	// For is how long the state will last at least: the open time of a breaker, the time of an ejection. 0 where nothing
	// bounds it.
	For time.Duration
	// Ejected and Endpoints are how many endpoints of the service are ejected, of how many, after the change. 0 for events
	// of breakers.
	Ejected, Endpoints int
	// Ctx is the context of the call on whose goroutine it happened, so that its span can show it. Nil where none is at
	// hand. A listener must not keep it.
	Ctx context.Context
}

// Listener hears of events as they happen, in their order for each client and one at a time.
//
// It is called on the goroutine of a call, without any lock held, so it may use the client; but the call waits for it, so
// it must not block.
type Listener interface {
	Event(e Event)
}
