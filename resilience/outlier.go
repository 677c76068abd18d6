package resilience

import "time"

// Defaults of [Outlier]: those that Envoy, Istio and gRPC (gRFC A50) share. That at least one endpoint may be ejected is
// gRPC's, that some is always left ours.
const (
	defaultConsecutive  = 5
	defaultInterval     = 10 * time.Second
	defaultBaseEjection = 30 * time.Second
	defaultMaxEjection  = 300 * time.Second
	defaultJitter       = 0.1
	defaultMaxPercent   = 10
	defaultMinHealth    = 50
	defaultEnforce      = 100
)

// Outlier takes endpoints out that fail while others do not. An endpoint that is ejected is not chosen for a while; then
// one call goes there as a probe, whose success readmits it and whose failure ejects it again for longer.
//
// What counts is an attempt. It fails as [Breaker] says; 429, RESOURCE_EXHAUSTED and refusals before work (an overloaded
// or draining server does well to refuse) eject nobody, and neither do attempts that were cancelled or had less time than
// the endpoint usually takes. It needs a source of endpoints: those that the caller's own transport or resolver finds are
// not the mesh's to choose.
//
// Fields whose names begin with Enforce are the chance, in percent, that an endpoint is ejected when that way of detection
// finds it, as in Envoy: to try a setting out, or to bring it in step by step. 0: 100; negative: never. Where chance spares
// an endpoint, its row is counted anew, and the event endpoint_suspected tells of it, once in an interval.
type Outlier struct {
	// Consecutive5xx is how many failures in a row eject: 5xx but 501, their gRPC counterparts (UNAVAILABLE, INTERNAL,
	// DATA_LOSS, UNKNOWN, DEADLINE_EXCEEDED), failed and broken connections. 0: 5; negative: off.
	Consecutive5xx int
	Enforce5xx     int
	// ConsecutiveGateway is the same for 502, 503, 504, UNAVAILABLE, DEADLINE_EXCEEDED, failed and broken connections
	// alone. 0: off, as in Istio; Envoy counts five and does not enforce it.
	ConsecutiveGateway int
	EnforceGateway     int
	// SplitLocalOrigin counts what is not an answer of the endpoint's apart from what it answers with: that it could not be
	// connected to, that the connection broke, that no reply came in time. The other ways of detection then see answers
	// alone, and ConsecutiveLocalOrigin, EnforceLocal of SuccessRate and of FailurePercent see whether there was one.
	// (Over gRPC a connection that breaks after the answer has begun is not told from one that says UNAVAILABLE.)
	SplitLocalOrigin bool
	// ConsecutiveLocalOrigin is how many attempts in a row without an answer eject, where they are split. 0: 5; negative: off.
	ConsecutiveLocalOrigin int
	EnforceLocalOrigin     int
	// SuccessRate ejects who answers well less often than the others. Nil: off, as in Istio.
	SuccessRate *SuccessRate
	// FailurePercent ejects who fails too often, whatever the others do. Nil: off, as in Istio and, in effect, in Envoy.
	FailurePercent *FailurePercent
	// Interval is how often SuccessRate and FailurePercent look, and the time without an ejection after which the next one
	// is shorter by BaseEjection again. 0: 10 s.
	Interval time.Duration
	// BaseEjection is how long an endpoint is out at first; the n-th time in a row it is n times as long. 0: 30 s.
	BaseEjection time.Duration
	// MaxEjection is the longest ejection, Jitter apart. 0: 300 s, or BaseEjection where that is more.
	MaxEjection time.Duration
	// Jitter is the share by which an ejection may be longer, at random, so that endpoints that failed together do not
	// come back together. 0: 0.1; negative: none, as in Istio; at most 1.
	Jitter float64
	// MaxPercent is the share of a destination's endpoints that may be ejected at the same time, in percent; one always
	// may be, the last one that is left never. 0: 10; at most 100.
	MaxPercent int
	// Strict takes MaxPercent to the letter, as Envoy and Istio do: 10 percent of nine endpoints is none, and 100 percent is
	// every one of them. While all are out, and MinHealthPercent does not say otherwise, calls are refused (the reason is
	// "all_ejected"); without Strict there is always an endpoint to ask. A list that has become shorter readmits nobody.
	Strict bool
	// MinHealthPercent is the share of endpoints, in percent, that must not be ejected for ejections to count: where fewer
	// are left, they could not carry the load, and calls go to all. It is Envoy's panic threshold and Istio's field of that
	// name. 0: 50, as in Envoy; negative: ejections always count, Istio's default; at most 100.
	MinHealthPercent int
}

// OrDefault is the outlier detection with its defaults in the place of zeros, and zeros where something is off.
func (o Outlier) OrDefault() Outlier {
	o.Consecutive5xx = orOff(o.Consecutive5xx, defaultConsecutive)
	o.Enforce5xx = orOff(o.Enforce5xx, defaultEnforce)
	o.EnforceGateway = orOff(o.EnforceGateway, defaultEnforce)
	o.ConsecutiveLocalOrigin = orOff(o.ConsecutiveLocalOrigin, defaultConsecutive)
	o.EnforceLocalOrigin = orOff(o.EnforceLocalOrigin, defaultEnforce)
	if s := o.SuccessRate; s != nil {
		o.SuccessRate = new(s.OrDefault())
	}
	if f := o.FailurePercent; f != nil {
		o.FailurePercent = new(f.OrDefault())
	}
	o.Interval = or(o.Interval, defaultInterval)
	o.BaseEjection = or(o.BaseEjection, defaultBaseEjection)
	o.MaxEjection = or(o.MaxEjection, max(defaultMaxEjection, o.BaseEjection))
	o.Jitter = max(0, or(o.Jitter, defaultJitter))
	o.MaxPercent = or(o.MaxPercent, defaultMaxPercent)
	o.MinHealthPercent = orOff(o.MinHealthPercent, defaultMinHealth)
	return o
}

// orOff is a number for which a negative one means none.
func orOff(n, byDefault int) int { return max(0, or(n, byDefault)) }

// Outlier is the policy's outlier detection with its defaults applied; nil where it is off. For the mesh's call path.
func (e *Executor) Outlier() *Outlier { return e.outlier }
