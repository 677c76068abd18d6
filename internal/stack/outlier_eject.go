package stack

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// eject takes an endpoint out for which there is room, or leaves it out for longer. The caller holds mu.
func (o *outliers) eject(n *Node, p *resilience.Outlier, reason string) {
	_, again := o.out[n]
	now := o.now()
	d := n.term(p, now, again)
	o.out[n] = struct{}{}
	n.counted = n.counted || !again
	n.clear()
	n.probe.Store(0)
	n.looked = 0
	n.due.Store(now + int64(d))
	o.note(call.Event{Kind: call.EndpointEjected, Endpoint: n.Addr(), Reason: reason, For: d})
	o.weigh(call.EjectedShare)
}

// term is how long the node's ejection lasts: longer each time, unless it was well for a while. The caller holds the
// outliers' mu.
func (n *Node) term(p *resilience.Outlier, now int64, again bool) time.Duration {
	if !again && n.times > 0 {
		n.times = max(0, n.times-(now-n.since)/int64(p.Interval))
	}
	// Beyond MaxEjection the number is of no use, and would only take longer to fall.
	n.times = min(n.times+1, int64((p.MaxEjection+p.BaseEjection-1)/p.BaseEjection))
	d := min(time.Duration(n.times)*p.BaseEjection, p.MaxEjection)
	return d + time.Duration(rand.Float64()*p.Jitter*float64(d))
}

// admit takes an endpoint back. The caller holds mu, and weighs afterwards.
func (o *outliers) admit(n *Node, reason string) {
	if _, ok := o.out[n]; !ok {
		return
	}
	delete(o.out, n)
	n.counted = false
	n.since = o.now()
	n.clear()
	n.probe.Store(0)
	n.due.Store(0)
	o.note(call.Event{Kind: call.EndpointReadmitted, Endpoint: n.Addr(), Reason: reason})
}

// probed is told what came of the probe that began at claim.
func (o *outliers) probed(ctx context.Context, n *Node, claim int64, well bool) {
	defer o.lock(ctx)()
	p := o.policy.Load()
	if p == nil || !n.probe.CompareAndSwap(claim, 0) {
		return // somebody else's turn
	}
	if !well {
		o.eject(n, p, call.ProbeFailed)
		return
	}
	o.admit(n, call.ProbeSucceeded)
	o.weigh(call.EjectedShare)
}
