package shop

import "context"

// Pages without reviews are excused while reviews are away, and from then on until the first page that has them again.

// Excuse begins the time in which pages may be without reviews.
func (sh *Shop) Excuse() {
	l := sh.load
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lenient = true
}

// excused tells whether reviews may be missing now.
func (l *load) excused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lenient
}

// ExpectFull waits for a page with reviews and ends the excuse.
func (sh *Shop) ExpectFull(ctx context.Context) error {
	l := sh.load
	full := make(chan struct{})
	l.mu.Lock()
	l.full = full
	l.mu.Unlock()
	select {
	case <-full:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lenient = false
	return nil
}
