package filewatch

import "time"

// A change is looked at when it has rested for settle, so that a file is not read while it is being written, and at the
// latest after settleMax, so that a file that is written all the time is read at all.
const (
	settle    = 50 * time.Millisecond
	settleMax = time.Second
)

// Run calls look after changes, when they have settled, and every poll (0 or less: never), until stop is closed.
func (w *Watcher) Run(stop <-chan struct{}, poll time.Duration, look func()) {
	w.RunAhead(stop, poll, func() {}, look)
}

// RunAhead does the same and calls ahead when a change is heard of, before it has settled: for work that look need not do
// again where nothing else changes. It has a goroutine of its own meanwhile, and look waits for its end.
func (w *Watcher) RunAhead(stop <-chan struct{}, poll time.Duration, ahead, look func()) {
	var tick <-chan time.Time
	if poll > 0 {
		t := time.NewTicker(poll)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-stop:
			return
		case <-w.changes():
			if !w.rest(stop, ahead) {
				return
			}
		case <-tick:
		}
		look()
	}
}

// rest waits until changes have settled and ahead has come to its end, and reports whether to go on.
func (w *Watcher) rest(stop <-chan struct{}, ahead func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		ahead()
	}()
	defer func() { <-done }()
	limit := time.After(settleMax)
	for {
		select {
		case <-stop:
			return false
		case <-limit:
			return true
		case <-w.changes():
		case <-time.After(settle):
			return true
		}
	}
}
