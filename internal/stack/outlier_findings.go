package stack

import (
	"cmp"
	"math"
	"slices"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// findings judges as Envoy does: first by success rate, then by failure percentage, of answers or (local) of whether there
// were any. Those that did worst come first, since not all may be ejected.
func findings(p *resilience.Outlier, rates []rate, local bool) (found []finding) {
	if s := p.SuccessRate; s != nil {
		enough := among(rates, s.MinRequests)
		limit := threshold(enough, s.StdevFactor)
		f := finding{reason: call.SuccessRate, enforce: s.Enforce}
		if local {
			f.reason, f.enforce = call.SuccessRateLocal, s.EnforceLocal
		}
		found = f.those(found, enough, s.MinHosts, func(success float64) bool { return success < limit })
	}
	if s := p.FailurePercent; s != nil {
		f := finding{reason: call.FailurePercentage, enforce: s.Enforce}
		if local {
			f.reason, f.enforce = call.FailurePercentageLocal, s.EnforceLocal
		}
		found = f.those(found, among(rates, s.MinRequests), s.MinHosts, func(success float64) bool {
			return 100-success >= float64(s.Threshold)
		})
	}
	return found
}

func (f finding) those(found []finding, rates []rate, hosts int, bad func(success float64) bool) []finding {
	if len(rates) < hosts {
		return found
	}
	first := len(found)
	for _, r := range rates {
		if bad(r.success) {
			f.rate = r
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found[first:], func(a, b finding) int { return cmp.Compare(a.success, b.success) })
	return found
}

// among are those of the rates that stand on enough attempts.
func among(rates []rate, attempts int) []rate {
	enough := make([]rate, 0, len(rates))
	for _, r := range rates {
		if r.attempts >= attempts {
			enough = append(enough, r)
		}
	}
	return enough
}

// threshold is the mean less so many standard deviations of the population, as Envoy's successRateEjectionThreshold.
func threshold(rates []rate, factor float64) float64 {
	var sum, squares float64
	for _, r := range rates {
		sum += r.success
	}
	count := float64(len(rates))
	mean := sum / count
	for _, r := range rates {
		squares += (r.success - mean) * (r.success - mean)
	}
	return mean - factor*math.Sqrt(squares/count)
}
