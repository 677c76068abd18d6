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
}

// The reasons why a call has no response, as words for programs and dashboards. Package client re-exports them.
const (
	UnknownService = "unknown_service" // the registry says that there is no such service
	NoEndpoint     = "no_endpoint"     // the service is known and has no endpoints
	Unanswered     = "unanswered"      // the registry has not answered within Warmup
	Deadline       = "deadline"        // the time for the call is over
	TryTimeout     = "try_timeout"     // the last attempt had no reply within its own timeout
	Idle           = "idle_timeout"    // the body or stream was silent for too long
	CallerCanceled = "canceled"        // the caller gave up
	ConnectFailed  = "connect_failed"  // the request was never written
	Broken         = "broken"          // the connection broke after the request was written, or may have been
	Closed         = "closed"          // the client is closed
	BreakerOpen    = "breaker_open"    // the destination's circuit breaker is open
	Invalid        = "invalid"         // the call cannot be made as asked
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
		b.WriteString(" by ")
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
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
