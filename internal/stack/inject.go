package stack

import (
	"strconv"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// inject is the layer that writes the attempt's own facts into its headers. What says nothing is not sent: the first
// attempt has no number, and gRPC carries the deadline itself.
type inject struct{}

func (inject) Begin(a *Attempt) error {
	c := a.Call
	if a.Fields == nil { // no layer above has added any
		a.Fields = a.fieldRoom[:0]
	}
	if c.Protocol == call.GRPC {
		if a.Number > 1 {
			a.add(call.HeaderPreviousAttempts, int64(a.Number-1))
		}
		return nil
	}
	if left := remaining(c.Deadline, a.Start); left > 0 {
		// Rounded up: 0 would tell the server that the time is over.
		a.add(call.HeaderDeadline, int64((left+time.Millisecond-1)/time.Millisecond))
	}
	if a.Number > 1 {
		a.add(call.HeaderAttempt, int64(a.Number))
	}
	return nil
}

func (a *Attempt) add(name string, n int64) {
	a.Fields = append(a.Fields, Field{Name: name, Value: strconv.FormatInt(n, 10)})
}

func (inject) End(*Attempt) {}
