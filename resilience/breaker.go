package resilience

import "time"

// Defaults of [Breaker]: 50 %, 20 calls in 10 s and 5 s are Hystrix's numbers.
const (
	defaultBreakerRatio  = 0.5
	defaultBreakerCalls  = 20
	defaultBreakerWindow = 10 * time.Second
	defaultOpen          = 5 * time.Second
	defaultMaxOpen       = 60 * time.Second
)

// Breaker stops calls to a destination that fails as a whole: it gets the rest that it needs, and its callers their answer
// at once, [ErrOpen].
//
// What counts is a call, after all its attempts, when it is over. A call fails by what the peer did or the way to it: a 5xx
// but 501, UNAVAILABLE, INTERNAL, DATA_LOSS, UNKNOWN, DEADLINE_EXCEEDED, no connection, a refusal before work, a body that
// breaks off. Calls that their caller cancelled do not count, and neither do those that were given less time than their
// endpoint usually takes.
type Breaker struct {
	// Ratio is the share of failures in Window from which on the breaker opens. 0: 0.5; at most 1.
	Ratio float64
	// MinCalls is how many calls must have finished in Window before the ratio means anything. 0: 20.
	MinCalls int
	// Window is the time that is looked back on; it moves in ten steps. 0: 10 s.
	Window time.Duration
	// Open is how long calls are refused before one may find out whether the destination is well. It doubles with every
	// such probe that fails. 0: 5 s.
	Open time.Duration
	// MaxOpen is where the doubling ends. 0: 60 s, or Open where that is more.
	MaxOpen time.Duration
}

// OrDefault is the breaker with its defaults in the place of zeros.
func (b Breaker) OrDefault() Breaker {
	b.Ratio = or(b.Ratio, defaultBreakerRatio)
	b.MinCalls = or(b.MinCalls, defaultBreakerCalls)
	b.Window = or(b.Window, defaultBreakerWindow)
	b.Open = or(b.Open, defaultOpen)
	b.MaxOpen = or(b.MaxOpen, max(defaultMaxOpen, b.Open))
	return b
}

func (b *Breaker) validate(bad func(field string, value any, why string)) {
	if b.Ratio != b.Ratio || b.Ratio < 0 || b.Ratio > 1 {
		bad("Breaker.Ratio", b.Ratio, "must be a share of the calls, more than 0 and at most 1")
	}
	if b.MinCalls < 0 || b.MinCalls > 1e6 {
		bad("Breaker.MinCalls", b.MinCalls, "must be 0 (for 20) to a million")
	}
	if b.Window < 0 || (b.Window != 0 && b.Window < time.Second) || b.Window > time.Hour {
		bad("Breaker.Window", b.Window, "must be 1 s to 1 h")
	}
	if b.Open < 0 || (b.Open != 0 && b.Open < time.Millisecond) || b.Open > time.Hour {
		bad("Breaker.Open", b.Open, "must be 1 ms to 1 h")
	}
	if b.MaxOpen < 0 || (b.MaxOpen != 0 && b.MaxOpen < or(b.Open, defaultOpen)) || b.MaxOpen > 24*time.Hour {
		bad("Breaker.MaxOpen", b.MaxOpen, "must be at least Open, and at most 24 h")
	}
}

// BreakerState is what a circuit breaker does with calls.
type BreakerState uint8

const (
	// BreakerOff: there is no breaker.
	BreakerOff BreakerState = iota
	// BreakerClosed: calls pass.
	BreakerClosed
	// BreakerHalfOpen: the open time is over, and the next call finds out; while it does, others are refused.
	BreakerHalfOpen
	// BreakerOpen: calls are refused.
	BreakerOpen
)

// String is one word, fit for a metric's label.
func (s BreakerState) String() string {
	return [...]string{"off", "closed", "half_open", "open"}[s]
}
