package stack

import (
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// Serve is one request being served. The adapter of a protocol fills in what the wire says; the layers act on it.
type Serve struct {
	// Served is what an observer may see, too.
	call.Served

	// Path is the path of an HTTP request, Host the authority that was asked for; over gRPC it is filled in where the guard
	// wants it.
	Path, Host string
	// Remote is whom the request comes from. Only the guard asks it; without one it may be nil.
	Remote Remote
	// Judged is what the guard thought of it.
	Judged Judgement
	// Left is the caller's remaining time where a header tells it (Timed). Over gRPC it is in Ctx already.
	Left  time.Duration
	Timed bool
	// Attempt is the number of the caller's attempt, from 1; 0: not told, so the first.
	Attempt int

	// Stack is where a handler panicked, if that was on another goroutine than End runs on.
	Stack []byte

	time *serveTime // nil but for what is Timed
}
