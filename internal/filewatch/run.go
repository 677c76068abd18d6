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
			if !w.rest(stop) {
				return
			}
		case <-tick:
		}
		look()
	}
}

// rest waits until changes have settled, and reports whether to go on.
func (w *Watcher) rest(stop <-chan struct{}) bool {
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
