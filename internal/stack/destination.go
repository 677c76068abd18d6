package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/snapshot"
)

// Destination is one service as this client knows it, or a subset of one: its endpoints and the state that outlives a
// change of policy.
type Destination struct {
	// Name is the service's name, with a port where the caller asked for one, and "/subset" behind it where it is one.
	Name string

	service   string // Name without the subset
	subset    string
	bare      string       // service without its port
	parent    *Destination // of a subset
	subsets   sync.Map     // string to *Destination
	client    *Client
	direct    bool // no source: the wire's own transport finds the one endpoint
	endpoints snapshot.Value[Endpoints]
	regime    atomic.Pointer[regime]
	outliers  *outliers
	shares    atomic.Bool           // calls over HTTP share connections there: the last answer came over HTTP/2
	trouble   atomic.Pointer[error] // the source's last failure, until it has good news
	used      atomic.Int64          // when a call last asked for it, in Unix seconds
	pins      atomic.Int64          // who needs it even when no call does
	stop      context.CancelFunc

	mu       sync.Mutex // serialises updates
	book     book
	arranged picking // how the endpoints are picked that calls see
	retired  bool    // nobody needs it any more

	// Of a subset:
	carried map[string]string // the labels of its endpoints
	lost    atomic.Int64      // since when the policy has no such subset, in Unix nanoseconds; 0: it has
}

var (
	errClosed     = errors.New("intramesh: client is closed")
	errUnanswered = errors.New("intramesh: the registry has not answered yet")
)

// Endpoints is what is known now; nil until the registry has answered. It takes no lock.
func (d *Destination) Endpoints() *Endpoints { return d.endpoints.Load() }

// Settings are what the routes of now say of the destination; never nil. Parts that a change of policy leaves as they were
// stay the same pointers.
func (d *Destination) Settings() *traffic.Settings { return d.regime.Load().settings }

// Watch is [Destination.Endpoints] with a channel that is closed at the next change.
func (d *Destination) Watch() (*Endpoints, <-chan struct{}) { return d.endpoints.Watch() }

func newDestination(s *Client, service, subset string) *Destination {
	d := &Destination{Name: service, service: service, subset: subset, bare: SplitPort(service), client: s, stop: func() {}}
	if subset != "" {
		d.Name += "/" + subset
	}
	d.outliers = newOutliers(d.Name, s.events)
	d.outliers.changed = d.reassess
	d.book.home = d
	return d
}

// note passes an event of the breaker on.
func (d *Destination) note(e call.Event) {
	e.Service = d.Name
	d.client.events.note(e)
}

// await waits for the registry's first answer, for as long as Warmup and the call's own time allow.
func (d *Destination) await(c *Call) error {
	c.waited = true
	ctx, cancel := context.WithDeadline(c.Ctx, c.patience())
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

// patience is until when the call waits for what a source has not said yet.
func (c *Call) patience() time.Time {
	limit := time.Now().Add(c.client.warmup)
	if own := c.limit(); !own.IsZero() && own.Before(limit) {
		return own
	}
	return limit
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
	if d.parent != nil {
		return d.parent.unanswered()
	}
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
	d.retired = true
	for _, n := range d.book.nodes {
		n.retire()
	}
	d.eachSubset((*Destination).retire)
}

// SplitPort is a service's name without the port, where it has one.
func SplitPort(service string) string {
	if host, _, err := net.SplitHostPort(service); err == nil {
		return host
	}
	return service
}
