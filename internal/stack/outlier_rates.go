package stack

import (
	"context"
	"sync/atomic"

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
