package main

import "context"

// Pages without reviews are excused while reviews are away, and from then on until the first page that has them again.

// excuse begins the time in which reviews may be missing.
func (l *load) excuse() {
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

// expectFull waits for a page with reviews and ends the excuse.
func (l *load) expectFull(ctx context.Context) error {
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
