package resilience

// Defaults of [SuccessRate] and [FailurePercent]: Envoy's and gRPC's (gRFC A50).
const (
	defaultRateHosts      = 5
	defaultRateRequests   = 100
	defaultStdevFactor    = 1.9
	defaultThreshold      = 85
	defaultFailedHosts    = 5
	defaultFailedRequests = 50
)

// SuccessRate ejects endpoints that succeed less often than the others do. At the end of each [Outlier].Interval it takes
// the share of attempts that went well at each endpoint that is not ejected and had MinRequests of them, and ejects those
// whose share is under the mean of the shares less StdevFactor times their standard deviation (of the population, as
// Envoy computes it). Of shares of 50, 100, 100, 100 and 100 % the mean is 90 and the deviation 20, so the first is ejected:
// it is under 52.
//
// Nothing runs in the meantime: the first attempt that ends after the interval does this for those before it.
type SuccessRate struct {
	// MinHosts is how many endpoints must have had MinRequests. 0: 5.
	MinHosts int
	// MinRequests is how many attempts an endpoint must have had in the interval. 0: 100.
	MinRequests int
	// StdevFactor is by how many standard deviations an endpoint must be worse than the mean. 0: 1.9. (Envoy and gRPC
	// write it in thousandths: 1900.)
	StdevFactor float64
	// Enforce is the chance of an ejection in percent, see [Outlier]; EnforceLocal the same for the shares of attempts that
	// had an answer at all, where [Outlier].SplitLocalOrigin keeps such.
	Enforce      int
	EnforceLocal int
}

// OrDefault is the success rate with its defaults in the place of zeros, and zeros where something is off.
func (s SuccessRate) OrDefault() SuccessRate {
	s.MinHosts = or(s.MinHosts, defaultRateHosts)
	s.MinRequests = or(s.MinRequests, defaultRateRequests)
	s.StdevFactor = or(s.StdevFactor, defaultStdevFactor)
	s.Enforce = orOff(s.Enforce, defaultEnforce)
	s.EnforceLocal = orOff(s.EnforceLocal, defaultEnforce)
	return s
}

func (s *SuccessRate) validate(bad func(field string, value any, why string)) {
	counts(s.MinHosts, s.MinRequests, "Outlier.SuccessRate", bad)
	if f := s.StdevFactor; !(f >= 0 && f <= 1000) {
		bad("Outlier.SuccessRate.StdevFactor", f, "must be a number from 0 (for 1.9) to 1000")
	}
}

// FailurePercent ejects endpoints of whose attempts too large a share fails: it is asked at the end of each
// [Outlier].Interval, like [SuccessRate], but compares with a number and not with the other endpoints.
type FailurePercent struct {
	// Threshold is the share of failed attempts, in percent, from which on an endpoint is ejected. 0: 85; at most 100.
	Threshold int
	// MinHosts is how many endpoints must have had MinRequests. 0: 5.
	MinHosts int
	// MinRequests is how many attempts an endpoint must have had in the interval. 0: 50.
	MinRequests int
	// Enforce and EnforceLocal are as in [SuccessRate]. (Envoy does not enforce failure percentages unless it is told to.)
	Enforce      int
	EnforceLocal int
}

// OrDefault is the failure percentage with its defaults in the place of zeros, and zeros where something is off.
func (f FailurePercent) OrDefault() FailurePercent {
	f.Threshold = or(f.Threshold, defaultThreshold)
	f.MinHosts = or(f.MinHosts, defaultFailedHosts)
	f.MinRequests = or(f.MinRequests, defaultFailedRequests)
	f.Enforce = orOff(f.Enforce, defaultEnforce)
	f.EnforceLocal = orOff(f.EnforceLocal, defaultEnforce)
	return f
}

func (f *FailurePercent) validate(bad func(field string, value any, why string)) {
	counts(f.MinHosts, f.MinRequests, "Outlier.FailurePercent", bad)
	if f.Threshold < 0 || f.Threshold > 100 {
		bad("Outlier.FailurePercent.Threshold", f.Threshold, "must be 0 (for 85) to 100")
	}
}

func counts(hosts, requests int, at string, bad func(field string, value any, why string)) {
	if hosts < 0 || hosts > 1e6 {
		bad(at+".MinHosts", hosts, "must be 0 (for the default) to a million")
	}
	if requests < 0 || requests > 1e9 {
		bad(at+".MinRequests", requests, "must be 0 (for the default) to a billion")
	}
}
