package consul

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
)

const (
	// requestTime bounds one request to the agent, which answers from its own state.
	requestTime = 10 * time.Second
	// undoTime bounds taking back a registration that was not waited for.
	undoTime = time.Second

	drainNote = "draining"
)

// lease is an instance in Consul.
type lease struct {
	plane *Plane
	reg   *api.AgentServiceRegistration
	ready func() bool
	every time.Duration
	done  chan struct{} // closed when nothing keeps it registered any more

	hush   context.CancelFunc // ends what keeps it registered, but for a registration that is under way
	cancel context.CancelFunc // ends that, too

	draining atomic.Bool
	said     bool // the readiness that the agent was told last; only who keeps it registered knows

	turn       chan struct{} // held for a request, so that none overtakes another; what follows goes with it
	maintained bool          // it is in maintenance
	token      string        // of its registration
	gone       bool          // it has left
}

func newLease(p *Plane, s *api.AgentServiceRegistration, r discovery.Registration) *lease {
	l := &lease{
		plane: p, reg: s, ready: r.Ready, every: beat(r),
		done: make(chan struct{}), turn: make(chan struct{}, 1),
	}
	if l.ready == nil {
		l.ready = func() bool { return true }
	}
	return l
}

// request makes one request when it is its turn.
func (l *lease) request(ctx context.Context, f func(o *api.QueryOptions) error) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.turn }()
	return f(l.plane.options(ctx))
}

// Drain puts the instance into maintenance. It does nothing after Leave.
func (l *lease) Drain(ctx context.Context) error {
	l.draining.Store(true) // from now on it is registered again only so
	err := persist(ctx, func() error {
		return l.request(ctx, func(o *api.QueryOptions) error {
			if l.gone {
				return nil // another may have taken its place
			}
			err := l.maintain(o)
			if forgotten(err) {
				return nil // nobody is sent to it; it is in maintenance when it is registered again
			}
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("discovery: consul: drain %s: %w", l.reg.ID, err)
	}
	return nil
}

// maintain puts the instance into maintenance.
func (l *lease) maintain(o *api.QueryOptions) error {
	err := l.plane.api.Agent().EnableServiceMaintenanceOpts(l.reg.ID, drainNote, o)
	l.maintained = err == nil
	return err
}

// Leave deregisters the instance. It does nothing when the instance has left; after an error it may be called again.
func (l *lease) Leave(ctx context.Context) error {
	l.hush()
	select {
	case <-l.done: // a registration that is under way is waited for: if it were cut off it might arrive after the removal
	case <-ctx.Done():
	}
	l.stop()
	l.plane.mu.Lock()
	delete(l.plane.leases, l)
	l.plane.mu.Unlock()
	if err := persist(ctx, func() error { return l.remove(ctx) }); err != nil {
		return fmt.Errorf("discovery: consul: deregister %s: %w", l.reg.ID, err)
	}
	return nil
}

func (l *lease) remove(ctx context.Context) error {
	return l.request(ctx, func(o *api.QueryOptions) error {
		if l.gone {
			return nil // another may have taken its place
		}
		err := l.plane.api.Agent().ServiceDeregisterOpts(l.reg.ID, o)
		if forgotten(err) {
			err = nil
		}
		l.gone = err == nil
		return err
	})
}

// undo takes back a registration of which nobody has waited for the end.
func (l *lease) undo() {
	ctx, cancel := context.WithTimeout(context.Background(), undoTime)
	defer cancel()
	_ = l.remove(ctx) // what could not be reached has not heard of it, or removes it when its checks fail
}
