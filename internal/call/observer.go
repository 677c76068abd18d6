package call

import (
	"context"
	"time"
)

// Field is one header or metadata entry, its name in lower case.
type Field struct{ Name, Value string }

// Watch is the room that an observer has in a call, an attempt or a request being served. Nobody else reads it but for
// Fields, so what an observer must remember costs no allocation.
type Watch struct {
	// State is the observer's own. It should be a pointer.
	State any
	// Fields are headers that the observer wants sent with every attempt of the call. Who makes the Watch may give them
	// room.
	Fields []Field
}

// Add appends to Fields.
func (w *Watch) Add(name, value string) { w.Fields = append(w.Fields, Field{name, value}) }

// Detail is what is worth a line in a span and in nothing else. What does not apply is empty.
type Detail struct {
	URL       string // of an outgoing request, without credentials
	Scheme    string // of a request served
	Host      string // that the request names, with a port where it has one
	Remote    string // the other side's address
	Path      string // of a request served
	Query     string // likewise
	Version   string // of the protocol: "1.1", "2"
	UserAgent string
}

// Describer tells the details of a request. It is asked only where a span records them.
type Describer interface {
	Describe() Detail
}

// CallObserver sees the calls that a client makes, outside of everything else, and their attempts. It may be called from
// any goroutine; for one call the order is BeginCall, then for each attempt BeginAttempt and EndAttempt, with Reply
// before the last EndAttempt, then EndCall. Each is called once, but for calls without an attempt.
type CallObserver interface {
	// BeginCall may replace c.Ctx by a context derived from it.
	BeginCall(c *Call, w *Watch, d Describer)
	// Reply is called when the caller gets its answer, or err, in which case the call is over too. The attempt is the
	// last one, nil where there was none.
	Reply(c *Call, w *Watch, last *Attempt, err error)
	// Fault is called for each fault that is injected, when it is: into the attempt, or into the call where a is nil.
	Fault(c *Call, w *Watch, a *Attempt, kind Faults)
	// Dropped is called where a copy of a call is not sent. There is no BeginCall for it.
	Dropped(c *Call, reason string)
	// EndCall is called when the call, its body or stream included, is over.
	EndCall(c *Call, w *Watch, last *Attempt, err error)
}

// AttemptObserver sees the attempts of a client's calls.
type AttemptObserver interface {
	// BeginAttempt returns the context under which the attempt runs, derived from ctx. The attempt is sent with aw's
	// Fields, or where it has none with those of its call.
	BeginAttempt(ctx context.Context, c *Call, cw *Watch, a *Attempt, aw *Watch) context.Context
	// EndAttempt is called when the attempt is over.
	EndAttempt(c *Call, cw *Watch, a *Attempt, aw *Watch)
}

// Request is what an observer may ask of a request being served.
type Request interface {
	Describer
	// Values are all values of a header, by its name in lower case.
	Values(name string) []string
}

// Served is one request being served. The adapter of a protocol fills in what the wire says.
type Served struct {
	// Ctx is the context of the request; layers replace it only where they have something to add.
	Ctx context.Context
	// Protocol and Method say what is asked: the HTTP method, or the full gRPC method.
	Protocol Protocol
	Method   string
	// Unregistered is set where the server has no such gRPC method and hands the call to a handler of last resort.
	Unregistered bool
	// Scheme is "http" or "https" over HTTP.
	Scheme string
	// Request tells more. Set only where somebody observes.
	Request Request
	// Peer is the caller's verified identity; empty where there is none.
	Peer string
	// Start is when the request arrived. Set only where somebody observes.
	Start time.Time

	// Route is the pattern that the request matched, as http.ServeMux writes it; known at the end.
	Route string
	// Status is the HTTP status sent, 0 where there is none; Code is the gRPC code.
	Status int
	Code   Code
	// Panic is what the handler panicked with; the adapter sets it before the end. A deliberate abort is not a panic, it
	// is Aborted.
	Panic   any
	Aborted bool
	// Err is why the request was not let pass to its handler, or the error that a gRPC handler returned.
	Err error
	// Refused is set where a layer did not let the request pass.
	Refused bool

	// Watch is the observer's room.
	Watch Watch
}

// ServeObserver sees the requests that a server serves, outside of everything else.
type ServeObserver interface {
	// BeginServe may replace s.Ctx by a context derived from it.
	BeginServe(s *Served)
	// EndServe is called once for each BeginServe, when the handler is done or the request was refused.
	EndServe(s *Served)
}

// Gauges is what a client can tell of itself when metrics are collected.
type Gauges interface {
	// EachEndpoints calls f for every service and state with the number of endpoints in it.
	EachEndpoints(f func(service, state string, n int))
	// EachBreakerState calls f for every service that has a circuit breaker: "closed", "half_open" or "open".
	EachBreakerState(f func(service, state string))
	// PolicySince is when the policy in force was set.
	PolicySince() time.Time
}

// Observer is all that clients and servers report to.
type Observer interface {
	CallObserver
	AttemptObserver
	ServeObserver
	Listener
	// Watch has g asked whenever metrics are collected, until stop is called.
	Watch(g Gauges) (stop func())
}
