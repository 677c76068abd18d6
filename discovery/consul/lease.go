package consul

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
)

// requestTime bounds one request to the agent, which answers from its own state.
const requestTime = 10 * time.Second

// lease is an instance in Consul.
type lease struct {
	plane *Plane
	reg   *api.AgentServiceRegistration
	ready func() bool
	every time.Duration

	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex // one request at a time, so that none overtakes another
	draining bool
	said     bool // the readiness that TTL checks were told last
	bad      string
}

func newLease(p *Plane, s *api.AgentServiceRegistration, r discovery.Registration) *lease {
	l := &lease{plane: p, reg: s, ready: r.Ready, every: beat(r), done: make(chan struct{})}
	if l.ready == nil {
		l.ready = func() bool { return true }
	}
	return l
}

// start begins to keep the instance registered.
func (l *lease) start() {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go l.run(ctx)
}

// stop ends that, and changes nothing in Consul.
func (l *lease) stop() {
	l.cancel()
	<-l.done
}

// run looks every second whether readiness has changed, which costs nothing, and speaks to the agent when it has and when
// it is time.
func (l *lease) run(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(min(l.every, time.Second))
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Since(last) < l.every && !l.changed() {
			continue
		}
		last = time.Now()
		l.report(ctx, l.keep(ctx))
	}
}

func (l *lease) changed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return (l.ready() && !l.draining) != l.said
}

// keep tells the agent how the instance is, and everything where it has forgotten it.
func (l *lease) keep(ctx context.Context) error {
	err := l.speak(ctx)
	if forgotten(err) {
		l.plane.cfg.Logger.Info("discovery: consul has lost an instance; registering again", "id", l.reg.ID)
		err = l.announce(ctx)
	}
	return err
}

// speak updates the TTL checks, or only looks whether the instance is there.
func (l *lease) speak(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, cancel := l.options(ctx)
	defer cancel()
	ready := l.ready() && !l.draining
	spoken := false
	for _, c := range l.reg.Checks {
		if c.TTL == "" {
			continue
		}
		spoken = true
		if err := l.plane.api.Agent().UpdateTTLOpts(c.CheckID, note(ready), status(ready), o); err != nil {
			return err
		}
	}
	if l.said = ready; spoken {
		return nil
	}
	_, _, err := l.plane.api.Agent().Service(l.reg.ID, o)
	return err
}

// announce registers the instance, and its maintenance where it drains.
func (l *lease) announce(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, cancel := l.options(ctx)
	defer cancel()
	ready := l.ready() && !l.draining
	for _, c := range l.reg.Checks {
		c.Status = status(ready)
	}
	opts := api.ServiceRegisterOpts{ReplaceExistingChecks: true, Token: o.Token}.WithContext(o.Context())
	if err := l.plane.api.Agent().ServiceRegisterOpts(l.reg, opts); err != nil {
		return err
	}
	l.said = ready
	if l.draining {
		return l.plane.api.Agent().EnableServiceMaintenanceOpts(l.reg.ID, drainNote, o)
	}
	return nil
}

const drainNote = "draining"

// Drain puts the instance into maintenance.
func (l *lease) Drain(ctx context.Context) error {
	err := persist(ctx, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.draining = true
		o, cancel := l.options(ctx)
		defer cancel()
		err := l.plane.api.Agent().EnableServiceMaintenanceOpts(l.reg.ID, drainNote, o)
		if forgotten(err) {
			return nil // nobody is sent to it; it is in maintenance when it is registered again
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("discovery: consul: drain %s: %w", l.reg.ID, err)
	}
	return nil
}

// Leave deregisters the instance.
func (l *lease) Leave(ctx context.Context) error {
	l.stop()
	l.plane.mu.Lock()
	delete(l.plane.leases, l)
	l.plane.mu.Unlock()
	err := persist(ctx, func() error {
		o, cancel := l.options(ctx)
		defer cancel()
		err := l.plane.api.Agent().ServiceDeregisterOpts(l.reg.ID, o)
		if forgotten(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("discovery: consul: deregister %s: %w", l.reg.ID, err)
	}
	return nil
}

func (l *lease) options(ctx context.Context) (*api.QueryOptions, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	return l.plane.options(ctx), cancel
}

// report logs each problem once, and its end.
func (l *lease) report(ctx context.Context, err error) {
	log := l.plane.cfg.Logger
	switch {
	case ctx.Err() != nil:
	case err != nil && explain(err).Error() != l.bad:
		l.bad = explain(err).Error()
		log.Warn("discovery: consul: an instance cannot be kept registered", "id", l.reg.ID, "error", l.bad)
	case err == nil && l.bad != "":
		l.bad = ""
		log.Info("discovery: consul: an instance is registered as it should be again", "id", l.reg.ID)
	}
}

func status(ready bool) string {
	if ready {
		return api.HealthPassing
	}
	return api.HealthCritical
}

func note(ready bool) string {
	if ready {
		return "ready"
	}
	return "not ready"
}
