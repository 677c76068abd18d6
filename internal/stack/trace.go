package stack

import (
	"slices"

	"github.com/intramesh/intramesh/internal/call"
)

// trace is the layer that tells the observer of every attempt, and gives the attempt the headers by which the server
// continues the trace. It is in the chain only where there is an observer.
type trace struct{ observer call.AttemptObserver }

func (t trace) Begin(a *Attempt) error {
	c := a.Call
	a.Ctx = t.observer.BeginAttempt(a.Ctx, &c.Call, &c.watch, &a.Attempt, &a.watch)
	switch {
	case a.watch.Fields != nil:
		a.Fields = slices.Clip(a.watch.Fields)
	case a == &c.first:
		a.Fields = c.watch.Fields // which lie in its room
	default:
		a.Fields = append(a.fieldRoom[:0], c.watch.Fields...)
	}
	return nil
}

func (t trace) End(a *Attempt) {
	c := a.Call
	t.observer.EndAttempt(&c.Call, &c.watch, &a.Attempt, &a.watch)
}
