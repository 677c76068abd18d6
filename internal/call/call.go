package call

import (
	"context"
	"time"
)

// Protocol says how a call travels.
type Protocol uint8

// The protocols that the mesh carries.
const (
	HTTP Protocol = iota
	GRPC
)

func (p Protocol) String() string {
	if p == GRPC {
		return "grpc"
	}
	return "http"
}

// Call is one logical call as its caller sees it, however many attempts it takes.
type Call struct {
	// Ctx is the caller's context. A Call lives no longer than the call does, so it may hold it.
	Ctx context.Context
	// Service is the destination's name, with a port where the caller gave one.
	Service string
	// Method is the HTTP method, or the full gRPC method ("/shop.Orders/Place").
	Method string
	// Start is when the caller called.
	Start time.Time
	// Deadline is the caller's own; it bounds the whole call, body included, and travels to the server. Zero: none.
	Deadline time.Time
	// ReplyBy bounds the time until there is a reply: response headers over HTTP, the message of a unary gRPC call. It
	// comes from policy where the caller has no deadline, does not bound bodies or streams, and so does not travel as
	// an HTTP header. Zero: none.
	ReplyBy time.Time
	// Protocol is how the call travels.
	Protocol Protocol
	// Idempotent is set where executing the request twice does no harm.
	Idempotent bool
	// Streaming is set for gRPC streams: only their opening is a matter of ReplyBy and attempts.
	Streaming bool
	// OutOfBudget is set where the retry budget, or a limit on retries, forbade a further attempt. Set only where somebody observes.
	OutOfBudget bool
	// Faults are what was injected on purpose, above the attempts or at any of them.
	Faults Faults
	// Copy is set where the call is a mirror's copy of another one.
	Copy bool
	// Tries counts the attempts begun so far.
	Tries int
	// Route is the name of the route that the call matched, and SentTo that of where it went, where that is another than
	// Service. Nil: none. They are pointers to what is there already because the size of a call matters.
	Route, SentTo *string
	// Peer is the verified identity of the endpoint that answered last; empty where there is none.
	Peer string
}

// Attempt is one try of a call at one endpoint.
type Attempt struct {
	// Number counts from 1.
	Number int
	// Addr is the endpoint's address; empty until one is chosen, and where the choice is not the mesh's.
	Addr string
	// Start is when the attempt began.
	Start time.Time
	// Took is how long the attempt lasted until its outcome was known.
	Took time.Duration
	// Outcome says how it ended.
	Outcome Outcome
	// Faults are what was injected into the attempt, on purpose.
	Faults Faults
}
