package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// moments are what the line of a step tells beyond the sums.
type moments struct {
	began    time.Time // of the step
	renewed  time.Time // everybody had new certificates
	opened   time.Time // the breaker of reviews
	back     time.Time // reviews
	closed   time.Time // the breaker
	refusals []string
	splits   []string // between the versions of inventory, and the mistake between them
	retired  int      // instances of the old one
}

func (m *moments) begin() { *m = moments{began: time.Now()} }

var (
	errNotOpened = errors.New("the breaker of reviews did not open")
	errNotClosed = errors.New("the breaker of reviews did not close")
)

// failReviews ends reviews without a word until web's breaker has opened, and brings them back. Pages may be without
// reviews until the breaker has found out.
func (s *show) failReviews(ctx context.Context, sh *shop.Shop, trouble time.Duration) (err error) {
	m := &s.moments
	m.begin()
	p := sh.Process("reviews-1")
	sh.Excuse()
	p.Kill()
	if m.opened, err = s.breaker(ctx, sh, shop.Opened, errNotOpened); err != nil {
		return err
	}
	shop.Sleep(ctx, time.Until(m.began.Add(trouble)))
	if err := s.remove(sh, p); err != nil {
		return err
	}
	if err := sh.Start(ctx, "reviews"); err != nil {
		return err
	}
	m.back = time.Now()
	if m.closed, err = s.breaker(ctx, sh, shop.Closed, errNotClosed); err != nil {
		return err
	}
	return sh.ExpectFull(ctx)
}

// breaker waits until web's breaker for reviews has opened, or closed, since the step began.
func (s *show) breaker(ctx context.Context, sh *shop.Shop, what string, late error) (at time.Time, err error) {
	err = shop.Until(ctx, late, func() (bool, error) {
		now, err := sh.Process("web-1").Ask()
		at = now.Events[what+" reviews"].Last
		return at.After(s.moments.began), err
	})
	return at, err
}

// outage says what the breaker did.
func (s *show) outage(sh *shop.Shop, _, during shop.State) string {
	m := s.moments
	text := during.Calls.Repeats("reviews")
	if m.opened.IsZero() {
		return text
	}
	text += fmt.Sprintf("\nweb's breaker for reviews opened at %s, and refused %d calls", sh.Clock(m.opened), during.Calls.Refused("reviews"))
	if m.closed.IsZero() {
		return text
	}
	return text + fmt.Sprintf("; reviews were back at %s, and it closed at %s", sh.Clock(m.back), sh.Clock(m.closed))
}
