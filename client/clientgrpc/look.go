package clientgrpc

import (
	"slices"
	"time"

	"google.golang.org/grpc/connectivity"

	"github.com/intramesh/intramesh/internal/stack"
)

// look brings the connections up to date where there is a reason to, and reports whether grpc is to be told.
func (g *group) look(now time.Time) bool {
	if g.gone == nil && g != g.lb.home {
		g.watch()
	}
	if g.alarm != 0 && g.alarm <= now.UnixNano() {
		g.alarm = 0
		g.changes.Add(1)
		g.dirty.Store(true)
	}
	if g.check != 0 && g.check <= now.UnixNano() {
		g.check = 0
		g.dirty.Store(true)
	}
	if !g.dirty.Swap(false) { // before anything is looked at
		return false
	}
	n := news{once: true, changes: g.changes.Load(), eps: g.dest.Endpoints()}
	t := g.reconcile(n.eps)
	g.alarm, g.check = t.alarm(), t.checkAt
	if n == g.told {
		return false
	}
	g.settle(t, n.eps, n.eps != g.told.eps)
	g.told = n
	return true
}

// watch keeps the destination and has the keeper look whenever its endpoints change.
func (g *group) watch() {
	g.dest.Pin()
	g.gone = make(chan struct{})
	_, changed := g.dest.Watch()
	gone := g.gone
	g.lb.done.Go(func() {
		for {
			select {
			case <-changed:
				_, changed = g.dest.Watch()
				g.nudge()
			case <-gone:
				return
			}
		}
	})
}

// drop ends the group. Calls and streams on its connections go on to their end.
func (g *group) drop() {
	g.lb.groups.Delete(g.dest)
	g.closeAll()
	if g.gone != nil {
		close(g.gone)
		g.dest.Unpin()
	}
}

// settle has the next picks see what the connections amount to. Weights may have changed where the endpoints have.
func (g *group) settle(t *tally, eps *stack.Endpoints, weights bool) {
	if weights || !slices.Equal(g.ready.Load().nodes, t.ready) {
		g.ready.Store(&readySet{nodes: t.ready, picker: g.dest.PickerOf(t.ready)})
	}
	g.failed.Store(t.hopeless())
	g.state = connectivity.Idle
	switch {
	case len(t.ready) > 0:
		g.state = connectivity.Ready
	case t.connecting > 0, eps == nil:
		g.state = connectivity.Connecting
	case len(t.failed) > 0, len(eps.Nodes) == 0:
		g.state = connectivity.TransientFailure
	}
}
