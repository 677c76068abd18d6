package client

import (
	"context"
	"errors"

	"github.com/intramesh/intramesh/internal/call"
)

// Error says that the mesh refused a call, or that there is no response to it. What a server said is never an Error.
//
// Use errors.As to find it: an [http.Client] wraps it in a *url.Error, and over gRPC it also has a status. The cause is
// found by errors.Is through Unwrap: [context.DeadlineExceeded], [context.Canceled], discovery.ErrNoEndpoint,
// discovery.ErrUnknownService, resilience.ErrOpen and resilience.ErrLimited are there where they apply.
type Error struct {
	Service  string // the destination's name
	Method   string // the HTTP method, or the full gRPC method
	Endpoint string // the address of the last attempt; empty where there was none
	Attempts int    // how many were begun
	Reason   string // why there is no response, one of the constants below
	Rule     string // the route that the call matched, or the rule that refused it; empty where there was none
	Code     uint32 // the gRPC code that stands for the reason, over both protocols
	Err      error  // the cause
	// Faults are what the route injected into the call on purpose, at any of its attempts: "delay", "abort", "corrupt",
	// "truncate", "reset", "slow". Mostly nil.
	Faults []string
}

// The reasons for an [Error].
const (
	// UnknownService: the registry says that there is no such service.
	UnknownService = call.UnknownService
	// NoEndpoint: the service is known and has no endpoint.
	NoEndpoint = call.NoEndpoint
	// AllEjected: outlier detection has ejected every endpoint, which only a Strict one does.
	AllEjected = call.AllEjected
	// Unanswered: the registry has not answered about the service within [Config].Warmup.
	Unanswered = call.Unanswered
	// Deadline: the time for the call is over.
	Deadline = call.Deadline
	// TryTimeout: the last attempt had no reply within its own time.
	TryTimeout = call.TryTimeout
	// Idle: the body or stream was silent for longer than the policy allows.
	Idle = call.Idle
	// Canceled: the caller gave up.
	Canceled = call.CallerCanceled
	// ConnectFailed: the request was never written.
	ConnectFailed = call.ConnectFailed
	// Broken: the connection broke after the request was written, or when it may have been.
	Broken = call.Broken
	// Closed: the client was closed before the call.
	Closed = call.Closed
	// BreakerOpen: the service's circuit breaker is open, and no attempt was made; the cause is resilience.ErrOpen.
	BreakerOpen = call.BreakerOpen
	// Responded: the route answers by itself. Over HTTP that is a response and no Error.
	Responded = call.Responded
	// Redirected: the route redirects, which gRPC does not know. Over HTTP that is a response and no Error.
	Redirected = call.Redirected
	// Limited: as much is under way to the service as the policy's [resilience.Limit] permits, and no attempt was made; the
	// cause is resilience.ErrLimited.
	Limited = call.Limited
	// FaultInjected: a fault of the route is the answer, or has broken its body. Over HTTP an abort is a response and no
	// Error.
	FaultInjected = call.FaultInjected
	// Invalid: the call cannot be made as it was asked for.
	Invalid = call.Invalid
)

func (e *Error) Error() string {
	c := call.Error{
		Service: e.Service, Method: e.Method, Endpoint: e.Endpoint, Attempts: e.Attempts,
		Reason: e.Reason, Rule: e.Rule, Code: call.Code(e.Code), Err: e.Err, Faults: call.FaultsNamed(e.Faults),
	}
	return c.Text("client")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the time was over, as net.Error has it.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return e.Code == uint32(call.DeadlineExceeded) || errors.Is(e.Err, context.DeadlineExceeded) ||
		errors.As(e.Err, &t) && t.Timeout()
}

// convert gives an error of the call path its public type.
func convert(err error) error {
	var e *call.Error
	if !errors.As(err, &e) {
		return err
	}
	return &Error{
		Service: e.Service, Method: e.Method, Endpoint: e.Endpoint, Attempts: e.Attempts,
		Reason: e.Reason, Rule: e.Rule, Code: uint32(e.Code), Err: e.Err, Faults: e.Faults.Names(),
	}
}
