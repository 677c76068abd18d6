package call

import (
	"strconv"
	"strings"
)

// Error says that the mesh refused a call, or that no response exists. The packages at the rim convert it to their own
// public type, which has the same fields; see client.Error for what each means.
type Error struct {
	Service  string
	Method   string
	Endpoint string
	Attempts int
	Reason   string
	Rule     string
	Code     Code
	Err      error
	// Faults are what was injected into the call on purpose, at any of its attempts.
	Faults Faults
	// Answer is what the caller gets instead of an error; nil: the error.
	Answer *Answer
}

// Answer is an answer that no server gave: a route's, or an injected fault's.
type Answer struct {
	// Status is the HTTP status. Over gRPC it is the code that stands for it, unless Code says another.
	Status int
	Code   Code
	// Location is that of a redirection.
	Location string
	// Body is of the type ContentType, text/plain where that is empty.
	Body        string
	ContentType string
}

// OverGRPC is the code with which a gRPC call ends that gets the answer. A status that stands for success is none there, as
// there is no message: it becomes UNKNOWN, as in grpc's own mapping.
func (a *Answer) OverGRPC() Code {
	if a.Code != OK {
		return a.Code
	}
	if c := CodeOfHTTP(a.Status); c != OK {
		return c
	}
	return Unknown
}

// The reasons why a call has no response, as words for programs and dashboards. Package client re-exports them.
const (
	UnknownService = "unknown_service" // the registry says that there is no such service
	NoEndpoint     = "no_endpoint"     // the service is known and has no endpoints
	AllEjected     = "all_ejected"     // outlier detection has ejected every endpoint, and may
	Unanswered     = "unanswered"      // the registry has not answered within Warmup
	Deadline       = "deadline"        // the time for the call is over
	TryTimeout     = "try_timeout"     // the last attempt had no reply within its own timeout
	Idle           = "idle_timeout"    // the body or stream was silent for too long
	CallerCanceled = "canceled"        // the caller gave up
	ConnectFailed  = "connect_failed"  // the request was never written
	Broken         = "broken"          // the connection broke after the request was written, or may have been
	Closed         = "closed"          // the client is closed
	BreakerOpen    = "breaker_open"    // the destination's circuit breaker is open
	Limited        = "limited"         // as much is under way to the destination as the policy permits
	Invalid        = "invalid"         // the call cannot be made as asked
	Responded      = "direct_response" // the route answers itself
	Redirected     = "redirect"        // the route sends elsewhere
	FaultInjected  = "fault_injected"  // the route has a fault, which is the answer
)

// The reasons why a server refuses a request.
const (
	NotAuthenticated = "unauthenticated" // the caller has not proved who it is
	Denied           = "denied"          // it has, and may not
)

func (e *Error) Error() string { return e.Text("intramesh") }

// Text formats the error under the name of the package that shows it.
func (e *Error) Text(pkg string) string {
	var b strings.Builder
	b.WriteString(pkg)
	b.WriteString(": ")
	// A server that refuses names neither: it is the service, and the request is at hand.
	if what := strings.TrimSpace(e.Service + " " + e.Method); what != "" {
		b.WriteString(what)
		b.WriteString(": ")
	}
	b.WriteString(e.Reason)
	if e.Rule != "" {
		b.WriteString(e.preposition())
		b.WriteString(e.Rule)
	}
	if e.Attempts > 0 {
		b.WriteString(" at attempt ")
		b.WriteString(strconv.Itoa(e.Attempts))
		if e.Endpoint != "" {
			b.WriteString(" (")
			b.WriteString(e.Endpoint)
			b.WriteString(")")
		}
	}
	if e.Faults != 0 {
		b.WriteString(" (injected on purpose: ")
		b.WriteString(e.Faults.String())
		b.WriteString(")")
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// preposition says whether the rule is the reason, or only what the call went by.
func (e *Error) preposition() string {
	switch e.Reason {
	case Denied, Responded, Redirected, FaultInjected:
		return " by "
	}
	return " under "
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
