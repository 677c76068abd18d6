package discovery

import "context"

// reporter turns the states of a service, one after the other, into news for one Watch: the first in full, then only
// what changed.
type reporter struct {
	fn       func(Update)
	answered bool
	absent   bool
	last     []Endpoint
}

// set says what the endpoints are now. They must not be changed afterwards.
func (r *reporter) set(ctx context.Context, endpoints []Endpoint) {
	u, changed := Update{Kind: Set, Endpoints: endpoints}, true
	if r.answered && !r.absent {
		u, changed = diff(r.last, endpoints)
	}
	if changed {
		r.send(ctx, u)
	}
	r.answered, r.absent, r.last = true, false, endpoints
}

// gone says that there is no such service.
func (r *reporter) gone(ctx context.Context) {
	if !r.answered || !r.absent {
		r.send(ctx, Update{Kind: Absent})
	}
	r.answered, r.absent, r.last = true, true, nil
}

// failed says that there is no news because of err.
func (r *reporter) failed(ctx context.Context, err error) {
	r.send(ctx, Update{Kind: Failed, Err: err})
}

// send calls fn unless the Watch is over.
func (r *reporter) send(ctx context.Context, u Update) {
	if ctx.Err() == nil {
		r.fn(u)
	}
}
