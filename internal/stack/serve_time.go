package stack

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// serveTime is the context of a request whose caller told how much time is left. It is what context.WithDeadline makes,
// but for the timer and for being entered with its parent: those are made when somebody first waits for the context's end.
// Most handlers never do, and ask no more than whether it is over, which a look at the clock answers.
type serveTime struct {
	context.Context // of the request

	at     time.Time
	ended  atomic.Bool // by the end of the request
	waited atomic.Pointer[ending]
	mu     sync.Mutex // one makes waited
}

// ending is a context that really ends.
type ending struct {
	context.Context

	cancel context.CancelFunc
}

// Deadline is the sooner one of the caller's and the parent's.
func (t *serveTime) Deadline() (time.Time, bool) {
	if at, ok := t.Context.Deadline(); ok && at.Before(t.at) {
		return at, true
	}
	return t.at, true
}

// Err agrees with Done. Once it has said that the context is over, it says so for the same reason for ever.
func (t *serveTime) Err() error {
	if t.waited.Load() == nil && !t.ended.Load() && t.Context.Err() == nil && time.Now().Before(t.at) {
		return nil
	}
	return t.wait().Err()
}

// Done makes what it returns.
func (t *serveTime) Done() <-chan struct{} { return t.wait().Done() }

// Value lets package context find the context that really ends, so that those derived from this one need no goroutine of
// their own: it asks for Done first.
func (t *serveTime) Value(key any) any {
	if w := t.waited.Load(); w != nil {
		return w.Value(key)
	}
	return t.Context.Value(key)
}

func (t *serveTime) wait() *ending {
	if w := t.waited.Load(); w != nil {
		return w
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.waited.Load()
	if w == nil {
		w = new(ending)
		w.Context, w.cancel = context.WithDeadline(t.Context, t.at)
		t.waited.Store(w)
	}
	if t.ended.Load() {
		w.cancel()
	}
	return w
}

// end is called when the handler is done.
func (t *serveTime) end() {
	t.ended.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.waited.Load(); w != nil {
		w.cancel()
	}
}
