package call

import (
	"context"
	"errors"
	"time"
)

// Sent says whether a request may have reached a server's code.
type Sent uint8

// A request is taken as possibly executed unless it is known that it was not.
const (
	SentUnknown Sent = iota
	SentNo
)

// Outcome is how an attempt ended, in terms that both protocols share.
type Outcome struct {
	// Err is set when there is no response (HTTP), or the status is not OK (gRPC).
	Err error
	// Status is the HTTP status; 0 over gRPC and where there is no response.
	Status int
	// Code is the gRPC code; over HTTP it is derived from Status or Err.
	Code Code
	// Sent is SentNo when the request was never written, or the peer's protocol says that it was not processed.
	Sent Sent
	// Overloaded is set when the server says that it refused before any work was done (x-envoy-overloaded).
	Overloaded bool
	// RateLimited is set when a rate limiter on the way answered (x-envoy-ratelimited): never repeated, unless a policy
	// asks for that by name.
	RateLimited bool
	// RefusedStream is set beside SentNo when the request was written and the peer's protocol handed it back (HTTP/2
	// REFUSED_STREAM, a stream above the last one of a GOAWAY).
	RefusedStream bool
	// Received is set over gRPC when something came back from the peer: the status is its own then, as far as can be told.
	// Over HTTP, Status says so.
	Received bool
	// Expired is set when the attempt's own timeout ended it while the call had time left.
	Expired bool
	// Canceled is set when the caller gave up.
	Canceled bool
	// Pushback is the server's advice for the next attempt: wait so long, negative for "do not". Valid if HasPushback.
	HasPushback bool
	Pushback    time.Duration
}

// Class is what an outcome means to retries, circuits, ejection and metrics alike.
type Class uint8

const (
	// Success: the peer answered. That the caller is in the wrong (404, INVALID_ARGUMENT) is an answer too.
	Success Class = iota
	// Failure: the peer or the way to it failed, and the request may have been executed.
	Failure
	// Busy: the peer has too much to do (429, RESOURCE_EXHAUSTED) without saying that it did no work. It ejects nobody.
	Busy
	// Refused: the request was certainly not executed; it is safe to send elsewhere.
	Refused
	// Canceled: the caller gave up; this says nothing about the peer.
	Canceled
)

func (c Class) String() string {
	return [...]string{"success", "failure", "busy", "refused", "canceled"}[c]
}

// Classify is the one place that judges an outcome.
//
// Which gRPC codes are failures follows DEFAULTS: UNAVAILABLE, INTERNAL, DATA_LOSS, UNKNOWN and DEADLINE_EXCEEDED (the
// callee's; the caller's own cancellation is Canceled). Over HTTP every 5xx is a failure except 501, which says that the
// method does not exist and is an answer.
func Classify(o Outcome) Class {
	switch {
	case o.Canceled:
		return Canceled
	case o.Sent == SentNo, o.Overloaded:
		return Refused
	case o.Status != 0:
		return classOfStatus(o.Status)
	}
	return classOfCode(o.Code)
}

func classOfStatus(status int) Class {
	switch {
	case status == 429:
		return Busy
	case status >= 500 && status != 501:
		return Failure
	}
	return Success
}

func classOfCode(c Code) Class {
	switch c {
	case Unavailable, Internal, DataLoss, Unknown, DeadlineExceeded:
		return Failure
	case ResourceExhausted:
		return Busy
	}
	return Success
}

// CodeOf is the code of an error that has no response: the end of a context, or a broken way to the peer.
func CodeOf(err error) Code {
	switch {
	case err == nil:
		return OK
	case errors.Is(err, context.DeadlineExceeded):
		return DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return CanceledCode
	}
	return Unavailable
}
