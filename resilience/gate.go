package resilience

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// gate counts what is under way to a destination. It belongs to the destination and not to a policy: the numbers that it is
// compared with come from whoever asks.
type gate struct {
	calls   atomic.Int64
	retries atomic.Int64
	line    line // for connections
}

// The errors of calls that a limit refuses.
var (
	errRequests = fmt.Errorf("%w: as many calls as Limit.Requests permits are under way", ErrLimited)
	errPending  = fmt.Errorf("%w: as many calls as Limit.Pending permits wait for a connection", ErrLimited)
)

// Place is what a call holds while it is under way: a word for [Executor.Leave]. 0 is nothing.
type Place uint8

const (
	counted   Place = 1 << iota // it counts as a call
	connected                   // it has a connection to itself
)

// Gated reports whether calls must be counted, and so whether to ask [Executor.Admit]. For the mesh's call path.
func (e *Executor) Gated() bool { return e.gated }

// Admit lets a call in, or refuses it with an error that is [ErrLimited]. Where alone is set the call will have a
// connection to itself, and may have to wait for it: until ctx ends, which is the error then, or until by, for which it is
// [context.DeadlineExceeded]; a zero by is no time. Whoever gets a Place gives it back by [Executor.Leave]. It allocates only
// for who waits, and takes a lock only where somebody does. For the mesh's call path; [Do] calls it by itself.
func (e *Executor) Admit(ctx context.Context, by time.Time, alone bool) (p Place, err error) {
	if !e.gated {
		return 0, nil
	}
	g := e.gate
	alone = alone && e.limit.Connections > 0
	if alone {
		if err := g.line.enter(ctx, by, e.limit); err != nil {
			return 0, err
		}
	}
	if most := int64(e.limit.Requests); most == 0 {
		g.calls.Add(1)
	} else if !upTo(&g.calls, most) {
		if alone {
			g.line.leave()
		}
		return 0, errRequests
	}
	if alone {
		return counted | connected, nil
	}
	return counted, nil
}

// Leave gives a place back, once, at the executor that gave it. For the mesh's call path.
func (e *Executor) Leave(p Place) {
	if p == 0 {
		return
	}
	e.gate.calls.Add(-1)
	if p&connected != 0 {
		e.gate.line.leave()
	}
}

// upTo counts one more, unless there are as many already.
func upTo(n *atomic.Int64, most int64) bool {
	for {
		old := n.Load()
		if old >= most {
			return false
		}
		if n.CompareAndSwap(old, old+1) {
			return true
		}
	}
}

// share is how many retries may be under way by a budget in Envoy's terms.
func (g *gate) share(b *Budget) int64 {
	active := g.calls.Load() + g.line.waiting.Load()
	return max(int64(b.Percent/100*float64(active)), int64(b.MinConcurrency))
}

// Usage is what is under way to a destination, in the terms of [Limit].
type Usage struct {
	Connections int // in use, each by one call
	Pending     int // calls that wait for one
	Requests    int // calls that were let in and are not over
	Retries     int // that wait for their turn, or are not over
}

// Usage is what is under way now. Nothing is counted while the policy has neither a [Limit] nor a budget in Envoy's terms.
func (e *Executor) Usage() Usage {
	g := e.gate
	if g == nil {
		return Usage{}
	}
	return Usage{
		Connections: int(g.line.held.Load()), Pending: int(g.line.waiting.Load()),
		Requests: int(g.calls.Load()), Retries: int(g.retries.Load()),
	}
}

// Govern puts the policy in force for those who wait: the bound on connections is e's from now on. For the mesh's call path,
// which keeps old policies for the calls that began under them.
func (e *Executor) Govern() {
	if e.gate == nil {
		return
	}
	most := int64(0)
	if e.gated {
		most = int64(e.limit.Connections)
	}
	e.gate.line.bound(most)
}

// Share lets all in who wait for a connection of their own: it has turned out that connections are shared. For the mesh's
// call path.
func (e *Executor) Share() {
	if e.gate != nil {
		e.gate.line.release()
	}
}
