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
	shut   atomic.Bool                        // every endpoint is out, and calls must not go to them
	sweep  atomic.Int64                       // when rates are looked at next; 0: the policy has none
	ripe   atomic.Int64                       // when an endpoint that is out may be probed next; 0: none is

	mu     sync.Mutex
	out    map[*Node]struct{} // ejected, those that have left the list lately included
	nodes  []*Node            // the list
	panics bool               // ejections are ignored
	// changed is called after the health of endpoints has changed, with mu held.
	changed func()
	// placed is set where endpoints are picked by their places, which have panics of their own.
	placed atomic.Bool
	ctx    context.Context // of the call that holds mu, for what is told; nil where it is none
	chance func() int      // from 0 to 99
}

func newOutliers(service string, ev *events) *outliers {
	// The origin is a little ahead, so that no time is 0.
	return &outliers{
		service: service, events: ev, origin: time.Now().Add(-1), out: make(map[*Node]struct{}),
		chance: func() int { return rand.IntN(100) }, changed: func() {},
	}
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
	o.follow(o.policy.Swap(p), p)
	if p == nil {
		for n := range o.out {
			o.admit(n, call.PolicyChanged)
		}
	}
	o.trim(call.PolicyChanged)
	o.weigh(call.PolicyChanged)
}

// list is told which endpoints there are, after each change.
func (o *outliers) list(nodes []*Node) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.nodes = nodes
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
	if p == nil || p.Strict {
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
	panics := p != nil && !o.placed.Load() && (len(o.nodes)-out)*100 < p.MinHealthPercent*len(o.nodes)
	if panics != o.panics {
		o.panics = panics
		kind := call.PanicLeft
		if panics {
			kind = call.PanicEntered
		}
		o.note(call.Event{Kind: kind, Reason: reason})
	}
	o.active.Store(out > 0 && !panics)
	o.shut.Store(out > 0 && out == len(o.nodes) && !panics && p != nil && p.Strict)
	o.ripen()
	o.changed()
}

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

// note completes an event. The caller holds mu.
func (o *outliers) note(e call.Event) {
	e.Time, e.Ctx, e.Service, e.Ejected, e.Endpoints = time.Now(), o.ctx, o.service, o.ejected(), len(o.nodes)
	o.events.note(e)
}
