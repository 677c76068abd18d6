package resilience

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Policy says how calls to one service are kept alive. A nil part is off; a zero number in a part that is there means
// the default that its comment gives. It is data: print it, compare it, load it, swap it.
type Policy struct {
	Timeout *Timeout
	Retry   *Retry
	Budget  *Budget
	Breaker *Breaker
	Outlier *Outlier
	Limit   *Limit
}

// Config is the policy of a client: one for each service that it names, and one for all others.
type Config struct {
	Default  Policy
	Services map[string]Policy
}

// For is the policy of a service. A service asked for with a port ("orders:8080") has its own entry or that of the name.
func (c Config) For(service, name string) Policy {
	if p, ok := c.Services[service]; ok {
		return p
	}
	if p, ok := c.Services[name]; ok {
		return p
	}
	return c.Default
}

// Validate reports every value that cannot be honoured, each with the path of its field.
func (c Config) Validate() error {
	errs := []error{c.Default.validate("Default")}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		errs = append(errs, c.Services[name].validate(fmt.Sprintf("Services[%q]", name)))
	}
	return errors.Join(errs...)
}

// Standard is the policy that suits most services: a time limit for calls that have none, safe retries, a budget that
// keeps them from making an outage worse, a breaker for when the destination fails as a whole, and outlier detection for
// when one of its endpoints does.
func Standard() Policy {
	return Policy{Timeout: &Timeout{}, Retry: &Retry{}, Budget: &Budget{}, Breaker: &Breaker{}, Outlier: &Outlier{}}
}

// Defaults of [Timeout]. 15 s is Envoy's route timeout, 5 min its stream idle timeout.
const (
	defaultReply = 15 * time.Second
	defaultIdle  = 5 * time.Minute
)

// Timeout bounds calls whose caller gives no deadline.
type Timeout struct {
	// Reply is how long a call may take, all its attempts together, until there are response headers (HTTP) or the
	// reply of a unary gRPC call. It never covers a body, an upgrade or a stream: over HTTP an attempt waits that long from
	// when a request body of more than 64 KiB, or of a length that is not known, last moved. 0: 15 s; negative: no limit.
	Reply time.Duration
	// Idle is the longest silence on a body, an upgraded connection or a stream. 0: 5 min; negative: no limit.
	Idle time.Duration
}

// Defaults of [Retry] and [Backoff]: two retries as in Istio, 25 to 250 ms as in Envoy.
const (
	defaultRetries = 2
	maxRetries     = 10
	defaultBase    = 25 * time.Millisecond
	defaultMax     = 250 * time.Millisecond
)

// Retry says when a failed attempt is followed by another.
type Retry struct {
	// Retries is the number of attempts after the first. 0: 2; at most 10.
	Retries int
	// On lists what is retried, in the tokens that Envoy and Istio use; it is obeyed as written, for every method. Nil
	// is the safe choice: what was certainly not executed (never written, refused stream, refused before work), and for
	// idempotent requests also 502, 503, 504, UNAVAILABLE, a broken connection and the end of PerTry.
	//
	// The tokens: 5xx, gateway-error, reset, reset-before-request, connect-failure, refused-stream, retriable-4xx,
	// envoy-ratelimited, an HTTP status from 200 to 599 ("503"); for gRPC cancelled, deadline-exceeded, internal,
	// resource-exhausted, unavailable. Several may stand in one string, with commas. A list that is there must name one.
	On []string
	// PerTry bounds each attempt until its reply, never beyond the call's own deadline. 0: half of the remaining time
	// for idempotent calls, none for others, so that an endpoint that has stopped costs one try; negative: none.
	PerTry time.Duration
	// Backoff is the wait between attempts.
	Backoff Backoff
	// Idempotent declares that every call to the service may be executed twice.
	Idempotent bool
}

// Backoff is the wait before a retry: a random time between 0 and a limit that starts at Base and doubles up to Max.
type Backoff struct {
	Base time.Duration // 0: 25 ms
	Max  time.Duration // 0: 250 ms, or Base where that is more
}

// OrDefault is the back-off with its defaults in the place of zeros.
func (b Backoff) OrDefault() Backoff {
	b.Base = or(b.Base, defaultBase)
	b.Max = or(b.Max, max(defaultMax, b.Base))
	return b
}

func (p Policy) validate(at string) error {
	var errs []error
	bad := func(field string, value any, why string) {
		errs = append(errs, fmt.Errorf("resilience: %s.%s: %v: %s", at, field, value, why))
	}
	if r := p.Retry; r != nil {
		if r.Retries < 0 || r.Retries > maxRetries {
			bad("Retry.Retries", r.Retries, "must be 0 (for 2) to 10; leave Retry nil for none")
		}
		if _, err := parseConditions(r.On); err != nil {
			bad("Retry.On", r.On, err.Error())
		}
		if r.Backoff.Base < 0 {
			bad("Retry.Backoff.Base", r.Backoff.Base, "must not be negative")
		}
		if r.Backoff.Max < 0 || (r.Backoff.Max != 0 && r.Backoff.Max < or(r.Backoff.Base, defaultBase)) {
			bad("Retry.Backoff.Max", r.Backoff.Max, "must be at least Base")
		}
	}
	if b := p.Budget; b != nil {
		b.validate(bad)
	}
	if b := p.Breaker; b != nil {
		b.validate(bad)
	}
	if o := p.Outlier; o != nil {
		o.validate(bad)
	}
	if l := p.Limit; l != nil {
		l.validate(bad)
	}
	return errors.Join(errs...)
}

// or is v, or its default where v is the zero value.
func or[T comparable](v, byDefault T) T {
	var zero T
	if v == zero {
		return byDefault
	}
	return v
}

// Overlay is p with the parts that over gives in the place of its own.
func (p Policy) Overlay(over Policy) Policy {
	if over.Timeout != nil {
		p.Timeout = over.Timeout
	}
	if over.Retry != nil {
		p.Retry = over.Retry
	}
	if over.Budget != nil {
		p.Budget = over.Budget
	}
	if over.Breaker != nil {
		p.Breaker = over.Breaker
	}
	if over.Outlier != nil {
		p.Outlier = over.Outlier
	}
	if over.Limit != nil {
		p.Limit = over.Limit
	}
	return p
}
