package resilience

import "time"

func (o *Outlier) validate(bad func(field string, value any, why string)) {
	percents := func(field string, n int) {
		if n > 100 {
			bad("Outlier."+field, n, "must be at most 100")
		}
	}
	if o.Consecutive5xx > 1e6 {
		bad("Outlier.Consecutive5xx", o.Consecutive5xx, "must be at most a million")
	}
	if o.ConsecutiveGateway < 0 || o.ConsecutiveGateway > 1e6 {
		bad("Outlier.ConsecutiveGateway", o.ConsecutiveGateway, "must be 0 (for off) to a million")
	}
	if o.ConsecutiveLocalOrigin > 1e6 {
		bad("Outlier.ConsecutiveLocalOrigin", o.ConsecutiveLocalOrigin, "must be at most a million")
	}
	if o.ConsecutiveLocalOrigin != 0 && !o.SplitLocalOrigin {
		bad("Outlier.ConsecutiveLocalOrigin", o.ConsecutiveLocalOrigin, "needs SplitLocalOrigin")
	}
	percents("Enforce5xx", o.Enforce5xx)
	percents("EnforceGateway", o.EnforceGateway)
	percents("EnforceLocalOrigin", o.EnforceLocalOrigin)
	if s := o.SuccessRate; s != nil {
		percents("SuccessRate.Enforce", s.Enforce)
		percents("SuccessRate.EnforceLocal", s.EnforceLocal)
		s.validate(bad)
	}
	if f := o.FailurePercent; f != nil {
		percents("FailurePercent.Enforce", f.Enforce)
		percents("FailurePercent.EnforceLocal", f.EnforceLocal)
		f.validate(bad)
	}
	o.validateTimes(bad)
	if o.MaxPercent < 0 || o.MaxPercent > 100 {
		bad("Outlier.MaxPercent", o.MaxPercent, "must be 0 (for 10) to 100; leave Outlier nil for none")
	}
	percents("MinHealthPercent", o.MinHealthPercent)
}

func (o *Outlier) validateTimes(bad func(field string, value any, why string)) {
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
}
