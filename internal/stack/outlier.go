package stack

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// outliers is a destination's outlier detection: which of its endpoints are ejected, and how many may be. What is known of
// each endpoint lies in its [Node].
//
// There are no timers: an ejection is over when a pick finds that its time has come. Picks and successes take no lock;
// failures, ejections and changes of the list do. mu is taken under a destination's mu and never above it.
type outliers struct {
	service string
	events  *events
	origin  time.Time // times are nanoseconds from here, on the monotonic clock

	policy atomic.Pointer[resilience.Outlier] // nil: off
	active atomic.Bool                        // an endpoint is out, and ejections are not ignored: all that a pick asks first

	mu     sync.Mutex
	out    map[*Node]struct{} // ejected, those that have left the list lately included
	listed int                // endpoints in the list
	panics bool               // ejections are ignored
	ctx    context.Context    // of the call that holds mu, for what is told; nil where it is none
}

func newOutliers(service string, ev *events) *outliers {
	// The origin is a little ahead, so that no time is 0.
	return &outliers{service: service, events: ev, origin: time.Now().Add(-1), out: make(map[*Node]struct{})}
}

func (o *outliers) now() int64 { return int64(time.Since(o.origin)) }

// lock is for a call; what it returns unlocks.
func (o *outliers) lock(ctx context.Context) func() {
	o.mu.Lock()
	o.ctx = ctx
	return func() {
		o.ctx = nil
		o.mu.Unlock()
	}
}

// setPolicy takes the settings of a new policy. Who is out stays out, but where there is no outlier detection any more.
func (o *outliers) setPolicy(p *resilience.Outlier) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.policy.Store(p)
	if p == nil {
		for n := range o.out {
			o.admit(n, call.PolicyChanged)
		}
	}
	o.trim(call.PolicyChanged)
	o.weigh(call.PolicyChanged)
}

// list is told how many endpoints there are, after each change.
func (o *outliers) list(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listed = n
	for n := range o.out {
		if n.forgettable(time.Now()) {
			delete(o.out, n)
			n.due.Store(0) // should it come back all the same
		}
		n.counted = !n.Retired()
	}
	o.trim(call.EndpointsChanged)
	o.weigh(call.EndpointsChanged)
}

// trim takes endpoints back, those first whose time is over soonest, where more are out than may be. The caller holds mu.
func (o *outliers) trim(reason string) {
	p := o.policy.Load()
	if p == nil {
		return
	}
	for over := o.ejected() - o.most(p); over > 0; over-- {
		var next *Node
		for n := range o.out {
			if n.counted && (next == nil || n.due.Load() < next.due.Load()) {
				next = n
			}
		}
		o.admit(next, reason)
	}
}

// ejected is how many endpoints of the list are out. It goes by the list that it was told of, as listed does: nodes leave
// and come back a moment before. The caller holds mu.
func (o *outliers) ejected() int {
	count := 0
	for n := range o.out {
		if n.counted {
			count++
		}
	}
	return count
}

// weigh decides anew whether ejections count. The caller holds mu.
func (o *outliers) weigh(reason string) {
	out := o.ejected()
	p := o.policy.Load()
	panics := p != nil && p.PanicPercent > 0 && out*100 > p.PanicPercent*o.listed
	if panics != o.panics {
		o.panics = panics
		kind := call.PanicLeft
		if panics {
			kind = call.PanicEntered
		}
		o.note(call.Event{Kind: kind, Reason: reason})
	}
	o.active.Store(out > 0 && !panics)
}

// most is how many of the list may be out: a share of all, but one always, and the last one that is left never. The caller
// holds mu.
func (o *outliers) most(p *resilience.Outlier) int {
	return min(max(1, o.listed*p.MaxPercent/100), max(0, o.listed-1))
}

// failed counts a failure of an endpoint, and ejects it where that makes too many.
func (o *outliers) failed(ctx context.Context, n *Node, gateway bool) {
	defer o.lock(ctx)()
	p := o.policy.Load()
	if p == nil || n.due.Load() != 0 {
		return // it is out; what it was asked before says nothing new
	}
	in5xx, inGateway := n.row.Add(1), int32(0)
	if gateway {
		inGateway = n.gateway.Add(1)
	} else {
		n.gateway.Store(0)
	}
	switch {
	case p.Consecutive5xx > 0 && int(in5xx) >= p.Consecutive5xx:
		o.eject(n, p, call.Consecutive5xx)
	case p.ConsecutiveGateway > 0 && int(inGateway) >= p.ConsecutiveGateway:
		o.eject(n, p, call.ConsecutiveGateway)
	}
}

// eject takes an endpoint out, or leaves it out for longer. Where the limits do not allow it, its next failure asks again.
// The caller holds mu.
func (o *outliers) eject(n *Node, p *resilience.Outlier, reason string) {
	_, again := o.out[n]
	if !again && (n.Retired() || o.ejected() >= o.most(p)) {
		return
	}
	now := o.now()
	d := n.term(p, now, again)
	o.out[n] = struct{}{}
	n.counted = n.counted || !again
	n.clear()
	n.probe.Store(0)
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

// note completes an event. The caller holds mu.
func (o *outliers) note(e call.Event) {
	e.Time, e.Ctx, e.Service, e.Ejected, e.Endpoints = time.Now(), o.ctx, o.service, o.ejected(), o.listed
	o.events.note(e)
}
