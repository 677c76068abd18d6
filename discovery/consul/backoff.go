package consul

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// newBackOff is the back-off of everything that asks a control plane again: 1 s, growing by 1.6, 20 % to either side, up
// to 30 s, without end.
func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Second),
		backoff.WithMultiplier(1.6),
		backoff.WithRandomizationFactor(0.2),
		backoff.WithMaxInterval(30*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
	b.Reset()
	return b
}

// wait waits for d and reports whether ctx still goes on.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
