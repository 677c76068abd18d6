package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/again"
)

// settledAfter is how long a watch must have lasted for the next failure to count as the first.
const settledAfter = time.Minute

// watch keeps asking the source until the destination is no longer needed.
func (d *Destination) watch(ctx context.Context) {
	wait := again.BackOff()
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
		d.client.events.tell()
		if time.Since(began) > settledAfter {
			wait.Reset()
		}
		again.Wait(ctx, wait.NextBackOff())
	}
}

// ask runs one Watch of the source. A source that panics is one that failed: the other services go on. What it says after
// Watch has returned is not heard, because the next Watch speaks by then.
func (d *Destination) ask(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("intramesh: the source panicked: %v", p)
		}
	}()
	return d.client.source.Watch(ctx, d.service, func(u discovery.Update) { d.update(ctx, u) })
}

// update applies a piece of news. One that cannot be right is refused whole: the last good set holds.
func (d *Destination) update(ctx context.Context, u discovery.Update) {
	defer d.client.events.tell()
	d.mu.Lock()
	defer d.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if u.Kind == discovery.Failed {
		d.fail(u.Err)
		return
	}
	if err := d.check(u); err != nil {
		d.fail(err)
		return
	}
	switch u.Kind {
	case discovery.Diff:
		d.book.diff(u.Endpoints, u.Removed)
	default:
		d.book.set(u.Endpoints)
	}
	d.trouble.Store(nil)
	d.publish(u.Kind == discovery.Absent)
	d.eachSubset(func(sub *Destination) { sub.derive(u, u.Kind == discovery.Absent) })
}

// publish makes what the book says what calls see. The caller holds mu.
func (d *Destination) publish(absent bool) {
	d.arranged = d.picking()
	next := d.view(d.arranged, absent)
	d.outliers.placed.Store(next.places != nil)
	d.outliers.list(next.Nodes) // first, so that whoever waits for the endpoints finds them counted
	d.endpoints.Store(next)
	d.reassess() // what list has readmitted
	d.client.events.line(slog.LevelDebug, "intramesh: endpoints", "service", d.Name, "count", len(next.Nodes))
}

// rearrange publishes the endpoints anew where a change of policy concerns them: how one is picked may be another way now,
// and what the subsets consist of.
func (d *Destination) rearrange(g *generation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.freshen()
	d.eachSubset(func(sub *Destination) {
		if sub.relabel(g) {
			sub.fill()
			return
		}
		sub.mu.Lock()
		defer sub.mu.Unlock()
		sub.freshen()
	})
}

// freshen publishes the endpoints anew where they are picked in another way now. The caller holds mu.
func (d *Destination) freshen() {
	if eps := d.Endpoints(); eps != nil && !d.picking().equal(d.arranged) {
		d.publish(eps.absent)
	}
}

// check is what discovery.Source asks of an update. The caller holds mu.
func (d *Destination) check(u discovery.Update) error {
	switch {
	case u.Kind > discovery.Failed:
		return fmt.Errorf("intramesh: update of an unknown %s", u.Kind)
	case u.Kind == discovery.Diff && d.Endpoints() == nil:
		return errors.New("intramesh: the source sent a diff before any set")
	case u.Kind == discovery.Absent && len(u.Endpoints) > 0:
		return fmt.Errorf("intramesh: the source says that there is no such service, and gives %d endpoints", len(u.Endpoints))
	}
	seen := make(map[string]struct{}, len(u.Endpoints))
	for _, e := range u.Endpoints {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("intramesh: endpoint %q: %w", e.Addr, err)
		}
		if _, twice := seen[e.Addr]; twice {
			return fmt.Errorf("intramesh: endpoint %q is listed twice", e.Addr)
		}
		seen[e.Addr] = struct{}{}
	}
	return nil
}

// fail notes that the source has nothing to say; what it said before holds. It is logged when it begins and when its
// reason changes, not at every try. The caller may hold mu, and tells the events without.
func (d *Destination) fail(err error) {
	if err == nil {
		err = errors.New("intramesh: the source failed without a reason")
	}
	old := d.trouble.Swap(&err)
	if old == nil || (*old).Error() != err.Error() {
		d.client.events.line(slog.LevelWarn, "intramesh: discovery failed, the last endpoints hold", "service", d.Name, "error", err)
	}
}
