package resilience

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// line is where calls wait for a connection, in the order in which they came.
//
// While nobody waits it is a counter. Who finds none free, or others waiting, takes the lock and joins them; who leaves
// looks whether somebody waits after it has counted itself out, and who joins looks whether something is free after it has
// counted itself in, so that one of the two sees the other.
type line struct {
	held    atomic.Int64
	waiting atomic.Int64
	most    atomic.Int64 // what held may be for those who wait; 0: anything

	mu          sync.Mutex
	first, last *waiter
}

// waiter is one who waits.
type waiter struct {
	turn       chan struct{} // closed when it may go
	prev, next *waiter
	gone       bool // it is not in line any more
}

// enter takes a connection, or waits for one.
func (l *line) enter(ctx context.Context, by time.Time, set Limit) error {
	if l.waiting.Load() == 0 && upTo(&l.held, int64(set.Connections)) {
		return nil
	}
	w, err := l.join(set)
	if w == nil {
		return err
	}
	return l.await(ctx, by, w)
}

// join puts one more into the line. Where it may go at once there is no waiter and no error.
func (l *line) join(set Limit) (*waiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting.Load() == 0 && upTo(&l.held, int64(set.Connections)) {
		return nil, nil
	}
	if l.waiting.Load() >= int64(set.Pending) {
		return nil, errPending
	}
	w := &waiter{turn: make(chan struct{}), prev: l.last}
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.waiting.Add(1)
	l.move()
	return w, nil
}

func (l *line) await(ctx context.Context, by time.Time, w *waiter) error {
	var over <-chan time.Time
	if !by.IsZero() {
		t := time.NewTimer(max(time.Until(by), 1))
		defer t.Stop()
		over = t.C
	}
	err := context.DeadlineExceeded
	select {
	case <-w.turn:
		return nil
	case <-over:
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.gone { // its turn came just now
		l.held.Add(-1)
	} else {
		l.remove(w)
	}
	l.move()
	return err
}

// leave gives a connection back.
func (l *line) leave() {
	l.held.Add(-1)
	if l.waiting.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.move()
}

// bound sets what those who wait are bound by.
func (l *line) bound(most int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most.Store(most)
	l.move()
}

// release lets everybody go.
func (l *line) release() {
	if l.waiting.Load() == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.first != nil {
		l.held.Add(1)
		l.let(l.first)
	}
}

// move lets those go for whom there is something. The caller holds mu.
func (l *line) move() {
	for l.first != nil {
		if most := l.most.Load(); most == 0 {
			l.held.Add(1)
		} else if !upTo(&l.held, most) {
			return
		}
		l.let(l.first)
	}
}

// let takes the waiter out of the line and tells it to go. The caller holds mu.
func (l *line) let(w *waiter) {
	l.remove(w)
	close(w.turn)
}

// remove takes the waiter out of the line. The caller holds mu.
func (l *line) remove(w *waiter) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.gone = nil, nil, true
	l.waiting.Add(-1)
}
