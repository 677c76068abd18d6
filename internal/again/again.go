// Package again is how everything in the module asks a control plane again that did not answer.
package again

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// BackOff is the time to wait, growing with each failure: 1 s, then 1.6 times as much, 20 % to either side, up to 30 s,
// without end (gRPC's connection back-off with a lower ceiling).
func BackOff() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Second),
		backoff.WithMultiplier(1.6),
		backoff.WithRandomizationFactor(0.2),
		backoff.WithMaxInterval(30*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
}

// Wait waits for d and reports whether ctx still goes on.
func Wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
