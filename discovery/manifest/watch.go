package manifest

import (
	"context"
	"sync"

	"github.com/intramesh/intramesh/discovery"
)

// watch is one Watch of a [Plane].
type watch struct {
	ctx     context.Context
	plane   *Plane
	service string
	plan    *plan
	lookups *lookups // nil where nothing is looked up

	mu       sync.Mutex // serialises fn; nothing that blocks is done under it
	fn       func(discovery.Update)
	answered bool
	absent   bool
	last     []discovery.Endpoint
}

func newWatch(ctx context.Context, p *Plane, service string, fn func(discovery.Update)) *watch {
	return &watch{ctx: ctx, plane: p, service: service, fn: fn}
}

// look tells what a state has to say that is new. What was told holds until new lookups have an answer.
func (w *watch) look(s *State) {
	p := s.plan(w.service)
	if w.plan != nil && w.plan.equal(p) {
		return
	}
	w.plan = p
	w.lookups.end()
	w.lookups = nil
	switch {
	case !p.known:
		w.gone()
	case len(p.lookup) == 0:
		w.set(p.ready)
	default:
		w.lookups = w.start(p)
	}
}

// set says what the endpoints are now.
func (w *watch) set(endpoints []discovery.Endpoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u, news := discovery.Update{Kind: discovery.Set, Endpoints: endpoints}, true
	if w.answered && !w.absent {
		u, news = discovery.Difference(w.last, endpoints)
	}
	w.answered, w.absent, w.last = true, false, endpoints
	if news {
		w.send(u)
	}
}

// gone says that there is no such service.
func (w *watch) gone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	news := !w.answered || !w.absent
	w.answered, w.absent, w.last = true, true, nil
	if news {
		w.send(discovery.Update{Kind: discovery.Absent})
	}
}

// failed says that there is no news because of err.
func (w *watch) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.send(discovery.Update{Kind: discovery.Failed, Err: err})
}

// recovered says that what was told before a failure holds still, by a difference that is none.
func (w *watch) recovered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.absent:
		w.send(discovery.Update{Kind: discovery.Absent})
	case w.answered:
		w.send(discovery.Update{Kind: discovery.Diff})
	}
}

// send calls fn unless the Watch is over. The caller holds mu.
func (w *watch) send(u discovery.Update) {
	if w.ctx.Err() == nil {
		w.fn(u)
	}
}

// end ends the lookups and waits for them.
func (w *watch) end() { w.lookups.end() }
