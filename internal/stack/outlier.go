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

// note completes an event. The caller holds mu.
func (o *outliers) note(e call.Event) {
	e.Time, e.Ctx, e.Service, e.Ejected, e.Endpoints = time.Now(), o.ctx, o.service, o.ejected(), len(o.nodes)
	o.events.note(e)
}
