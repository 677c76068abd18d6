package stack

import (
	"context"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// Serve is one request being served. The adapter of a protocol fills in what the wire says; the layers act on it.
type Serve struct {
	// Served is what an observer may see, too.
	call.Served

	// Path is the path of an HTTP request.
	Path string
	// Left is the caller's remaining time where a header tells it (Timed). Over gRPC it is in Ctx already.
	Left  time.Duration
	Timed bool
	// Attempt is the number of the caller's attempt, from 1; 0: not told, so the first.
	Attempt int

	cancel context.CancelFunc
}
