package stack

import (
	"context"
	"sync/atomic"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// most is how many of the list may be out: a share of all, but one always, and the last one that is left never, unless the
// policy is to be taken to the letter. The caller holds mu.
func (o *outliers) most(p *resilience.Outlier) int {
	listed := len(o.nodes)
	share := listed * p.MaxPercent / 100
	if p.Strict {
		return share
	}
	return min(max(1, share), max(0, listed-1))
}

// failed counts a failure of an endpoint, and ejects it where that makes too many in a row.
func (o *outliers) failed(ctx context.Context, n *Node, v verdict) {
	defer o.lock(ctx)()
	p := o.policy.Load()
	if p == nil || n.due.Load() != 0 {
		return // it is out; what it was asked before says nothing new
	}
	if p.SplitLocalOrigin && v&lost != 0 {
		o.inRow(n, p, &n.lost, p.ConsecutiveLocalOrigin, call.ConsecutiveLocalOrigin, p.EnforceLocalOrigin)
		return
	}
	n.lost.Store(0)
	if v&gateway == 0 {
		n.gateway.Store(0)
	}
	if o.inRow(n, p, &n.row, p.Consecutive5xx, call.Consecutive5xx, p.Enforce5xx) {
		return
	}
	if v&gateway != 0 {
		o.inRow(n, p, &n.gateway, p.ConsecutiveGateway, call.ConsecutiveGateway, p.EnforceGateway)
	}
}

// inRow counts one more in a row, and reports whether the endpoint was ejected for it. The caller holds mu.
func (o *outliers) inRow(n *Node, p *resilience.Outlier, row *atomic.Int32, enough int, reason string, enforce int) bool {
	count := int(row.Add(1))
	if enough == 0 || count < enough || !o.room(n, p) {
		return false
	}
	if !o.enforced(n, p, reason, enforce) {
		row.Store(0)
		return false
	}
	o.eject(n, p, reason)
	return true
}

// room reports whether one more may be out. Where it may not, the endpoint's next failure asks again. The caller holds mu.
func (o *outliers) room(n *Node, p *resilience.Outlier) bool {
	return !n.Retired() && o.ejected() < o.most(p)
}

// enforced draws whether the policy lets an endpoint be ejected for the reason, and tells where it does not. The caller
// holds mu.
func (o *outliers) enforced(n *Node, p *resilience.Outlier, reason string, percent int) bool {
	if percent >= 100 || o.chance() < percent {
		return true
	}
	if now := o.now(); n.suspected == 0 || now-n.suspected >= int64(p.Interval) {
		n.suspected = now
		o.note(call.Event{Kind: call.EndpointSuspected, Endpoint: n.Addr(), Reason: reason})
	}
	return false
}
