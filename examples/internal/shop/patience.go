package shop

import (
	"context"
	"time"
)

// patience is how long something may take that a busy machine makes slow, before it counts as one that does not happen.
const patience = 2 * time.Minute

// Sleep waits for d, or for the end of ctx.
func Sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Until asks done again and again. It returns its error, late after two minutes, or what ended ctx.
func Until(ctx context.Context, late error, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, late)
	defer cancel()
	for ctx.Err() == nil {
		if ok, err := done(); ok || err != nil {
			return err
		}
		Sleep(ctx, 10*time.Millisecond)
	}
	return context.Cause(ctx)
}
