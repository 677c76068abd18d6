package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// moments are what the line of a step tells beyond the sums.
type moments struct {
	began    time.Time // of the step
	renewed  time.Time // everybody had new certificates
	opened   time.Time // the breaker of reviews
	back     time.Time // reviews
	closed   time.Time // the breaker
	refusals []string
}

func (m *moments) begin() { *m = moments{began: time.Now()} }

var (
	errNotOpened = errors.New("the breaker of reviews did not open")
	errNotClosed = errors.New("the breaker of reviews did not close")
)

// failReviews ends reviews without a word until web's breaker has opened, and brings them back. Pages may be without
// reviews until the breaker has found out.
func failReviews(ctx context.Context, sh *shop, trouble time.Duration) (err error) {
	m := &sh.moments
	m.begin()
	p := sh.process("reviews-1")
	sh.load.excuse()
	p.kill()
	if m.opened, err = sh.breaker(ctx, opened, errNotOpened); err != nil {
		return err
	}
	sleep(ctx, time.Until(m.began.Add(trouble)))
	if err := sh.unlist(p); err != nil {
		return err
	}
	if err := sh.start("reviews"); err != nil {
		return err
	}
	m.back = time.Now()
	if m.closed, err = sh.breaker(ctx, closed, errNotClosed); err != nil {
		return err
	}
	return sh.load.expectFull(ctx)
}

// breaker waits until web's breaker for reviews has opened, or closed, since the step began.
func (sh *shop) breaker(ctx context.Context, what string, late error) (at time.Time, err error) {
	err = until(ctx, late, func() (bool, error) {
		s, err := sh.process("web-1").ask(question{})
		at = s.Events[what+" reviews"].Last
		return at.After(sh.moments.began), err
	})
	return at, err
}

// outage says what the breaker did.
func (sh *shop) outage(during state) string {
	m := sh.moments
	text := repeats(during.Calls, "reviews")
	if m.opened.IsZero() {
		return text
	}
	text += fmt.Sprintf("\nweb's breaker for reviews opened at %s, and refused %d calls", sh.clock(m.opened), during.Calls.refused("reviews"))
	if m.closed.IsZero() {
		return text
	}
	return text + fmt.Sprintf("; reviews were back at %s, and it closed at %s", sh.clock(m.back), sh.clock(m.closed))
}

// refused is how many calls of a service its breaker refused.
func (s stats) refused(service string) int {
	n := 0
	for key, m := range s {
		if of(key) == service {
			n += m.Refused
		}
	}
	return n
}
