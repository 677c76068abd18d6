package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/again"
)

// Register registers an instance with the agent and keeps it there: see [discovery.Registrar]. An instance of the same ID
// is replaced, its checks too. It begins as passing where Ready says so, so that it need not wait for its first check.
//
// Consul's limits are errors at once: what it calls a bad request, and a token that may not write the service. [ErrClosed]
// is the error when the Plane was closed. When ctx ends or the Plane is closed the instance is taken back, for which it
// waits 1 s at most. A server.Server registers itself by its method Register, which calls this, and drains and leaves by
// the Lease.
func (p *Plane) Register(ctx context.Context, r discovery.Registration) (discovery.Lease, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	s, err := service(r)
	if err != nil {
		return nil, fmt.Errorf("discovery: registration: %w", err)
	}
	l := newLease(p, s, r)
	if err := l.register(ctx); err != nil {
		return nil, fmt.Errorf("discovery: consul: register %s: %w", s.ID, err)
	}
	if !p.hold(l) {
		l.undo()
		return nil, ErrClosed
	}
	return l, nil
}

// register tries until the agent has the instance, it refuses it, or ctx or the Plane ends. What has ended in between may
// have reached the agent.
func (l *lease) register(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tried := make(chan struct{})
	defer close(tried)
	go func() {
		select {
		case <-l.plane.closed:
			cancel(ErrClosed)
		case <-tried:
		}
	}()
	err := persist(ctx, func() error { return l.request(ctx, l.announce) })
	if err != nil && ctx.Err() != nil {
		l.undo()
	}
	return err
}

// hold begins to keep an instance registered, unless the Plane was closed.
func (p *Plane) hold(l *lease) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
		return false
	default:
	}
	p.leases[l] = struct{}{}
	l.start()
	return true
}

// persist tries with back-off until it succeeds, it is refused, or ctx ends. Then the error says why it did not succeed
// before.
func persist(ctx context.Context, try func() error) error {
	var last error
	err := backoff.Retry(func() error {
		err := explain(try())
		if refused(err) {
			return backoff.Permanent(err)
		}
		if ctx.Err() == nil {
			last = err
		}
		return err
	}, backoff.WithContext(again.BackOff(), ctx))
	switch {
	case err == nil || refused(err) || ctx.Err() == nil:
		return err
	case last == nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w; before: %w", context.Cause(ctx), last)
}

// refused says whether it is of no use to ask again.
func refused(err error) bool {
	var s api.StatusError
	return errors.As(err, &s) && (s.Code == http.StatusBadRequest || s.Code == http.StatusForbidden)
}

// forgotten says whether the agent knows nothing of what it was told.
func forgotten(err error) bool {
	var s api.StatusError
	return errors.As(err, &s) && s.Code == http.StatusNotFound
}

const leastBeat = 100 * time.Millisecond

// beat is how often an instance looks after itself: thrice in its shortest TTL, and every 10 s at the least, to see
// whether the agent still knows of it.
func beat(r discovery.Registration) time.Duration {
	least := 3 * defaultInterval
	for _, c := range r.Checks {
		if c.TTL > 0 {
			least = min(least, c.TTL)
		}
	}
	if len(r.Checks) == 0 {
		least = defaultTTL
	}
	return max(least/3, leastBeat)
}
