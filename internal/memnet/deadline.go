package memnet

import "time"

// deadline is a point in time that wakes whoever waits when it comes. The lock of its pipe guards it.
type deadline struct {
	at      time.Time
	timer   *time.Timer
	expired func() // takes the lock, so it never runs under it
}

// set replaces the deadline. The zero time is none; one that has passed takes effect at once, without a timer: whoever sets
// a deadline wakes those who wait anyway, and timers whose time is over crash the race detector of Go 1.26 in a synctest
// bubble (golang/go#78156).
func (d *deadline) set(at time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if left := time.Until(at); left > 0 {
		d.timer = time.AfterFunc(left, d.expired)
	}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
