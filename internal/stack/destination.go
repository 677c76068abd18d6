package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

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
	outliers  *outliers
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
	next.Observe(d.note)
	old := d.exec.Swap(next)
	d.outliers.setPolicy(next.Outlier())
	if old != nil && !next.SameBreaker(old) && old.Breaker() > resilience.BreakerClosed {
		d.note(call.Event{Kind: call.BreakerClosed, Time: time.Now(), Reason: call.PolicyChanged})
	}
}

// note passes an event of the breaker on.
func (d *Destination) note(e call.Event) {
	e.Service = d.Name
	d.client.events.note(e)
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
	switch err := d.answered(ctx); {
	case err == nil:
		return nil
	case errors.Is(err, errClosed): // while the call waited
		return &call.Error{Reason: call.Closed, Code: call.CanceledCode, Err: errClosed}
	}
	if e := c.over(time.Now()); e != nil {
		return e
	}
	return &call.Error{Reason: call.Unanswered, Code: call.Unavailable, Err: d.unanswered()}
}

// answered waits for the registry's first answer until ctx or the client ends.
func (d *Destination) answered(ctx context.Context) error {
	d.Pin() // who waits needs the watch, however long it takes
	defer d.Unpin()
	for {
		eps, changed := d.endpoints.Watch()
		if eps != nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-d.client.ctx.Done():
			return errClosed // no answer will come
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
	switch err := d.answered(ctx); {
	case errors.Is(err, errClosed):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", err, d.unanswered())
	}
	if e := d.Endpoints().missing(); e != nil {
		return e.Err
	}
	return nil
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
