package consul

import (
	"context"

	"github.com/intramesh/intramesh/discovery"
)

// Watch reports the instances of a service that should be called. All watches of one service share one question to Consul.
// A name that no service of Consul can have is [discovery.Absent]. After [Plane.Close] it returns [ErrClosed].
func (p *Plane) Watch(ctx context.Context, service string, fn func(discovery.Update)) error {
	q, ok := p.cfg.resolve(service)
	if !ok {
		if ctx.Err() == nil {
			fn(discovery.Update{Kind: discovery.Absent})
		}
		return p.rest(ctx)
	}
	f := p.join(q)
	if f == nil {
		return p.over(ctx)
	}
	defer p.leave(q, f)
	last := new(state)
	for {
		now, changed := f.state.Watch()
		if now.seq != last.seq {
			now.tell(ctx, last, fn)
			last = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.closed:
			return p.over(ctx)
		case <-changed:
		}
	}
}

func (p *Plane) rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-p.closed:
	}
	return p.over(ctx)
}

func (p *Plane) over(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that is how a Watch ends
	}
	return ErrClosed
}

// join is the follower of a question, started by the first who asks; nil after Close.
func (p *Plane) join(q question) *follower {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
		return nil
	default:
	}
	f := p.followers[q]
	if f == nil {
		f = follow(p, q)
		p.followers[q] = f
	}
	f.users++
	return f
}

// leave ends the follower with the last of its watches.
func (p *Plane) leave(q question, f *follower) {
	p.mu.Lock()
	f.users--
	last := f.users == 0
	if last && p.followers[q] == f {
		delete(p.followers, q)
	}
	p.mu.Unlock()
	if last {
		f.stop()
		p.base.CloseIdleConnections()
	}
}
