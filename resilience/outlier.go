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
	defaultPanicPercent = 50
)

// Outlier takes endpoints out that fail while others do not. An endpoint that is ejected is not chosen for a while; then
// one call goes there as a probe, whose success readmits it and whose failure ejects it again for longer.
//
// What counts is an attempt. It fails as [Breaker] says; 429, RESOURCE_EXHAUSTED and refusals before work (an overloaded
// or draining server does well to refuse) eject nobody, and neither do attempts that were cancelled or had less time than
// the endpoint usually takes. It needs a source of endpoints: those that the caller's own transport or resolver finds are
// not the mesh's to choose.
type Outlier struct {
	// Consecutive5xx is how many failures in a row eject: 5xx but 501, their gRPC counterparts (UNAVAILABLE, INTERNAL,
	// DATA_LOSS, UNKNOWN, DEADLINE_EXCEEDED), failed and broken connections. 0: 5; negative: off.
	Consecutive5xx int
	// ConsecutiveGateway is the same for 502, 503, 504, UNAVAILABLE, DEADLINE_EXCEEDED, failed and broken connections
	// alone. 0: off.
	ConsecutiveGateway int
	// Interval is the time without an ejection after which the next one is shorter by BaseEjection again. 0: 10 s.
	Interval time.Duration
	// BaseEjection is how long an endpoint is out at first; the n-th time in a row it is n times as long. 0: 30 s.
	BaseEjection time.Duration
	// MaxEjection is the longest ejection, Jitter apart. 0: 300 s, or BaseEjection where that is more.
	MaxEjection time.Duration
	// Jitter is the share by which an ejection may be longer, at random, so that endpoints that failed together do not
	// come back together. 0: 0.1; negative: none; at most 1.
	Jitter float64
	// MaxPercent is the share of a destination's endpoints that may be ejected at the same time, in percent; one always
	// may be, the last one that is left never. 0: 10; at most 100.
	MaxPercent int
	// PanicPercent is the share of ejected endpoints, in percent, beyond which ejections are ignored: what is left could
	// not carry the load. 0: 50; negative: never.
	PanicPercent int
}

// OrDefault is the outlier detection with its defaults in the place of zeros, and zeros where something is off.
func (o Outlier) OrDefault() Outlier {
	o.Consecutive5xx = max(0, or(o.Consecutive5xx, defaultConsecutive))
	o.Interval = or(o.Interval, defaultInterval)
	o.BaseEjection = or(o.BaseEjection, defaultBaseEjection)
	o.MaxEjection = or(o.MaxEjection, max(defaultMaxEjection, o.BaseEjection))
	o.Jitter = max(0, or(o.Jitter, defaultJitter))
	o.MaxPercent = or(o.MaxPercent, defaultMaxPercent)
	o.PanicPercent = max(0, or(o.PanicPercent, defaultPanicPercent))
	return o
}

func (o *Outlier) validate(bad func(field string, value any, why string)) {
	if o.Consecutive5xx > 1e6 {
		bad("Outlier.Consecutive5xx", o.Consecutive5xx, "must be at most a million")
	}
	if o.ConsecutiveGateway < 0 || o.ConsecutiveGateway > 1e6 {
		bad("Outlier.ConsecutiveGateway", o.ConsecutiveGateway, "must be 0 (for off) to a million")
	}
	if o.Interval < 0 || (o.Interval != 0 && o.Interval < time.Millisecond) {
		bad("Outlier.Interval", o.Interval, "must be at least 1 ms")
	}
	if o.BaseEjection < 0 || (o.BaseEjection != 0 && o.BaseEjection < time.Millisecond) || o.BaseEjection > 24*time.Hour {
		bad("Outlier.BaseEjection", o.BaseEjection, "must be 1 ms to 24 h")
	}
	if m := o.MaxEjection; m < 0 || (m != 0 && m < or(o.BaseEjection, defaultBaseEjection)) || m > 24*time.Hour {
		bad("Outlier.MaxEjection", m, "must be at least BaseEjection, and at most 24 h")
	}
	if o.Jitter != o.Jitter || o.Jitter > 1 {
		bad("Outlier.Jitter", o.Jitter, "must be a share of the ejection's time, at most 1")
	}
	if o.MaxPercent < 0 || o.MaxPercent > 100 {
		bad("Outlier.MaxPercent", o.MaxPercent, "must be 0 (for 10) to 100; leave Outlier nil for none")
	}
	if o.PanicPercent > 100 {
		bad("Outlier.PanicPercent", o.PanicPercent, "must be at most 100")
	}
}

// Outlier is the policy's outlier detection with its defaults applied; nil where it is off. For the mesh's call path.
func (e *Executor) Outlier() *Outlier { return e.outlier }
