package stack

import (
	"context"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// Serve is one request being served. The adapter of a protocol fills in what the wire says; the layers act on it.
type Serve struct {
	// Ctx is the context of the request; layers replace it only where they have something to add.
	Ctx context.Context
	// Protocol and Method say what is asked: the HTTP method and path, or the full gRPC method and no path.
	Protocol call.Protocol
	Method   string
	Path     string
	// Left is the caller's remaining time where a header tells it (Timed). Over gRPC it is in Ctx already.
	Left  time.Duration
	Timed bool
	// Attempt is the number of the caller's attempt, from 1; 0: not told, so the first.
	Attempt int
	// Panic is what the handler panicked with; the adapter sets it before End. A deliberate abort is not a panic.
	Panic any

	cancel context.CancelFunc
}
