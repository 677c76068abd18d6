package stack

import (
	"context"
	"sync"
)

// Tally counts handlers that a server of net/http or grpc does not wait for, so that a drain can. The zero Tally is ready.
type Tally struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n falls to 0; nil if nobody waits
}

// Enter counts one more.
func (t *Tally) Enter() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

// Leave counts one less.
func (t *Tally) Leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// Shutdown waits until there are none. It implements [ServeStopper].
func (t *Tally) Shutdown(ctx context.Context) error {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return nil
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	idle := t.idle
	t.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close has nothing to close: whoever counts does that.
func (t *Tally) Close() error { return nil }
