package resilience

import "github.com/cenkalti/backoff/v4"

// newBackoff makes the waits of one call's retries: full jitter, so that callers who failed together do not return
// together (Envoy does the same; the reasons are in AWS's "Exponential Backoff And Jitter").
//
// The library draws between (1-f) and (1+f) times an interval that doubles up to MaxInterval. With f = 1 that is 0 to
// twice the interval, so half of Base and half of Max give 0 to Base, then 0 to 2 x Base, and so on up to 0 to Max.
// MaxElapsedTime 0 means that it never says stop: the call's deadline does.
//
// The struct is filled by hand, because the library's options would cost an allocation each.
func (e *Executor) newBackoff() *backoff.ExponentialBackOff {
	b := &backoff.ExponentialBackOff{
		InitialInterval:     e.waits.Base / 2,
		RandomizationFactor: 1,
		Multiplier:          2,
		MaxInterval:         e.waits.Max / 2,
		Stop:                backoff.Stop,
		Clock:               backoff.SystemClock,
	}
	b.Reset()
	return b
}
