package stack

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync/atomic"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// tally counts attempts and, of them, failures: both in one word, so that they change together and without a lock.
type tally struct{ both atomic.Uint64 }

const attemptsShift = 32

func (t *tally) add(failed bool) {
	one := uint64(1) << attemptsShift
	if failed {
		one++
	}
	t.both.Add(one)
}

// take gives the numbers and begins anew.
func (t *tally) take() (attempts, failures uint64) {
	both := t.both.Swap(0)
	return both >> attemptsShift, both & (1<<attemptsShift - 1)
}

// tally counts an attempt for the rates. The first one that ends after the interval, which ended at due, has the interval
// looked at before it is counted, so there is no timer: an interval in which nothing was counted needs no look.
func (o *outliers) tally(ctx context.Context, n *Node, v verdict, due int64) {
	p := o.policy.Load()
	if p == nil {
		return
	}
	if now := o.now(); now >= due {
		next := due + ((now-due)/int64(p.Interval)+1)*int64(p.Interval)
		if o.sweep.CompareAndSwap(due, next) {
			o.review(ctx, p)
			o.events.tell()
		}
	}
	if !p.SplitLocalOrigin {
		n.answers.add(v != well)
		return
	}
	n.origin.add(v&lost != 0)
	if v&lost == 0 {
		n.answers.add(v != well)
	}
}

// follow begins and ends the counting for rates with the policy. What was counted under another one that had rates, too,
// stays counted. The caller holds mu.
func (o *outliers) follow(old, p *resilience.Outlier) {
	switch due := o.sweep.Load(); {
	case p == nil || p.SuccessRate == nil && p.FailurePercent == nil:
		o.sweep.Store(0)
	case due == 0:
		for _, n := range o.nodes {
			n.answers.take()
			n.origin.take()
		}
		o.sweep.Store(o.now() + int64(p.Interval))
	case old.Interval != p.Interval || old.SplitLocalOrigin != p.SplitLocalOrigin:
		o.sweep.Store(min(due, o.now()+int64(p.Interval)))
	}
}

// rate is how an endpoint did in an interval.
type rate struct {
	node     *Node
	attempts int
	success  float64 // in percent
}

// finding is an endpoint that should be ejected.
type finding struct {
	rate
	reason  string
	enforce int
}

// review looks at the interval that is over. The list is gone through without a lock; only ejections need one.
func (o *outliers) review(ctx context.Context, p *resilience.Outlier) {
	o.mu.Lock()
	nodes := o.nodes
	o.mu.Unlock()
	answers, origin := make([]rate, 0, len(nodes)), []rate(nil)
	for _, n := range nodes {
		answers = n.answers.rate(answers, n)
		if p.SplitLocalOrigin {
			origin = n.origin.rate(origin, n)
		}
	}
	found := findings(p, answers, false)
	if p.SplitLocalOrigin {
		found = append(found, findings(p, origin, true)...)
	}
	if len(found) > 0 {
		o.punish(ctx, found)
	}
}

// rate appends what was counted of a node that is not ejected, where that is anything.
func (t *tally) rate(to []rate, n *Node) []rate {
	attempts, failures := t.take()
	if attempts == 0 || n.due.Load() != 0 {
		return to
	}
	return append(to, rate{n, int(attempts), float64(attempts-failures) * 100 / float64(attempts)})
}

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

// punish ejects what was found, as far as there is room and chance will have it.
func (o *outliers) punish(ctx context.Context, found []finding) {
	defer o.lock(ctx)()
	p := o.policy.Load()
	if p == nil {
		return
	}
	for _, f := range found {
		if f.node.due.Load() == 0 && o.room(f.node, p) && o.enforced(f.node, p, f.reason, f.enforce) {
			o.eject(f.node, p, f.reason)
		}
	}
}
