package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/snapshot"
	"github.com/intramesh/intramesh/resilience"
)

// Destination is one service as this client knows it: its endpoints and the state that outlives a change of policy.
type Destination struct {
	// Name is the service's name, with a port where the caller asked for one.
	Name string

	bare      string // Name without its port
	client    *Client
	direct    bool // no source: the wire's own transport finds the one endpoint
	endpoints snapshot.Value[Endpoints]
	exec      atomic.Pointer[resilience.Executor]
	trouble   atomic.Pointer[error] // the source's last failure, until it has good news
	used      atomic.Int64          // when a call last asked for it, in Unix seconds
	pins      atomic.Int64          // who needs it even when no call does
	stop      context.CancelFunc

	mu   sync.Mutex // serialises updates
	book book
}

var (
	errClosed     = errors.New("intramesh: client is closed")
	errUnanswered = errors.New("intramesh: the registry has not answered yet")
)

// Endpoints is what is known now; nil until the registry has answered. It takes no lock.
func (d *Destination) Endpoints() *Endpoints { return d.endpoints.Load() }

// Watch is [Destination.Endpoints] with a channel that is closed at the next change.
func (d *Destination) Watch() (*Endpoints, <-chan struct{}) { return d.endpoints.Watch() }

// PickerOf makes a picker over some of the destination's nodes, by its algorithm.
func (d *Destination) PickerOf(nodes []*Node) balance.Picker {
	return pickerOf(d.client.balance, nodes)
}

// setPolicy compiles the policy that cfg has for this destination. A policy that was validated always compiles.
func (d *Destination) setPolicy(cfg resilience.Config) {
	p := cfg.For(d.Name, d.bare)
	next, err := d.compile(p)
	if err != nil {
		d.client.log.Error("intramesh: policy refused, the old one holds", "service", d.Name, "error", err)
		return
	}
	d.exec.Store(next)
}

func (d *Destination) compile(p resilience.Policy) (*resilience.Executor, error) {
	if old := d.exec.Load(); old != nil {
		return old.With(p)
	}
	return resilience.New(p)
}

// await waits for the registry's first answer, for as long as Warmup and the call's own time allow.
func (d *Destination) await(c *Call) error {
	c.waited = true
	limit := time.Now().Add(d.client.warmup)
	if own := c.limit(); !own.IsZero() && own.Before(limit) {
		limit = own
	}
	ctx, cancel := context.WithDeadline(c.Ctx, limit)
	defer cancel()
	if err := d.answered(ctx); err == nil {
		return nil
	}
	if e := c.over(time.Now()); e != nil {
		return e
	}
	return &call.Error{Reason: call.Unanswered, Code: call.Unavailable, Err: d.unanswered()}
}

// answered waits for the registry's first answer until ctx ends.
func (d *Destination) answered(ctx context.Context) error {
	for {
		eps, changed := d.endpoints.Watch()
		if eps != nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *Destination) unanswered() error {
	if err := d.trouble.Load(); err != nil {
		return fmt.Errorf("%w: %w", errUnanswered, *err)
	}
	return errUnanswered
}

// Ready waits until the registry has answered for a service and returns an error if it has no endpoint, or if ctx ends
// before.
func (s *Client) Ready(ctx context.Context, service string) error {
	if s.ending.Load() {
		return errClosed
	}
	if s.source == nil {
		return nil
	}
	d := s.Destination(service, time.Now())
	if err := d.answered(ctx); err != nil {
		return fmt.Errorf("%w: %w", err, d.unanswered())
	}
	if e := d.Endpoints().missing(); e != nil {
		return e.Err
	}
	return nil
}

// watch keeps asking the source until the destination is no longer needed.
func (d *Destination) watch(ctx context.Context) {
	wait := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(time.Second), backoff.WithMultiplier(1.6), backoff.WithRandomizationFactor(0.2),
		backoff.WithMaxInterval(30*time.Second), backoff.WithMaxElapsedTime(0))
	for ctx.Err() == nil {
		began := time.Now()
		err := d.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("intramesh: the source stopped watching")
		}
		d.fail(err)
		if time.Since(began) > time.Minute {
			wait.Reset()
		}
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
		}
	}
}

// ask runs one Watch of the source. A source that panics is one that failed: the other services go on.
func (d *Destination) ask(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("intramesh: the source panicked: %v", p)
		}
	}()
	return d.client.source.Watch(ctx, d.Name, func(u discovery.Update) {
		if ctx.Err() == nil {
			d.update(u)
		}
	})
}

// update applies a piece of news. One that cannot be right is refused whole: the last good set holds.
func (d *Destination) update(u discovery.Update) {
	if u.Kind == discovery.Failed {
		d.fail(u.Err)
		return
	}
	for _, e := range u.Endpoints {
		if err := e.Validate(); err != nil {
			d.fail(err)
			return
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch u.Kind {
	case discovery.Set:
		d.book.set(u.Endpoints)
	case discovery.Diff:
		d.book.diff(u.Endpoints, u.Removed)
	case discovery.Absent:
		d.book.set(nil)
	}
	next := d.book.publish(d.client.balance, u.Kind == discovery.Absent)
	d.trouble.Store(nil)
	d.endpoints.Store(next)
	d.client.log.Debug("intramesh: endpoints", "service", d.Name, "count", len(next.Nodes))
}

// fail notes that the source has nothing to say; what it said before holds. It is logged when it begins and when its
// reason changes, not at every try.
func (d *Destination) fail(err error) {
	if err == nil {
		err = errors.New("intramesh: the source failed without a reason")
	}
	old := d.trouble.Swap(&err)
	if old == nil || (*old).Error() != err.Error() {
		d.client.log.Warn("intramesh: discovery failed, the last endpoints hold", "service", d.Name, "error", err)
	}
}

// retire ends the watch and gives back what is idle.
func (d *Destination) retire() {
	d.stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.book.nodes {
		n.retire()
	}
}

// SplitPort is a service's name without the port, where it has one.
func SplitPort(service string) string {
	if host, _, err := net.SplitHostPort(service); err == nil {
		return host
	}
	return service
}
