package manifest

import (
	"context"

	"github.com/intramesh/intramesh/discovery"
)

// watch is one Watch of a [Plane].
type watch struct {
	ctx     context.Context
	service string
	fn      func(discovery.Update)

	answered, absent bool
	last             []discovery.Endpoint
}

func newWatch(ctx context.Context, _ *Plane, service string, fn func(discovery.Update)) *watch {
	return &watch{ctx: ctx, service: service, fn: fn}
}

// look tells what a state has to say that is new.
func (w *watch) look(s *State) {
	endpoints, known := s.endpoints(w.service)
	if !known {
		w.gone()
		return
	}
	w.set(endpoints)
}

func (w *watch) set(endpoints []discovery.Endpoint) {
	u, news := discovery.Update{Kind: discovery.Set, Endpoints: endpoints}, true
	if w.answered && !w.absent {
		u, news = discovery.Difference(w.last, endpoints)
	}
	w.answered, w.absent, w.last = true, false, endpoints
	if news {
		w.send(u)
	}
}

func (w *watch) gone() {
	news := !w.answered || !w.absent
	w.answered, w.absent, w.last = true, true, nil
	if news {
		w.send(discovery.Update{Kind: discovery.Absent})
	}
}

func (w *watch) failed(err error) { w.send(discovery.Update{Kind: discovery.Failed, Err: err}) }

func (w *watch) send(u discovery.Update) {
	if w.ctx.Err() == nil {
		w.fn(u)
	}
}

func (w *watch) end() {}
