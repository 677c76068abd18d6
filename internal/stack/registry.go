package stack

import (
	"context"
	"sync"
	"time"
)

// registry holds destinations by name. A destination that nobody has called for a while is dropped, so that a client
// whose callers choose the names does not grow for ever.
type registry struct {
	byName sync.Map // string to *Destination
	mu     sync.Mutex
	size   int // of byName; guarded by mu, as is swept
	swept  time.Time
}

const (
	// idleAfter is how long a destination is kept without calls: as long as grpc keeps an idle connection.
	idleAfter = 30 * time.Minute
	// hurriedAfter is how long one is kept that the source does not know, or any while there are more than crowd: a
	// program that calls whatever its own callers name must not hold half an hour of names.
	hurriedAfter = time.Minute
	crowd        = 1000
)

// Destination is the state of a service, made at its first call, with the watch of its endpoints.
func (s *Client) Destination(service string, now time.Time) *Destination {
	return s.destination(&s.meshed, service, now)
}

// Direct is the state of an authority whose one endpoint is found by the caller's own transport or resolver.
func (s *Client) Direct(authority string, now time.Time) *Destination {
	return s.destination(&s.directs, authority, now)
}

func (s *Client) destination(r *registry, name string, now time.Time) *Destination {
	v, ok := r.byName.Load(name)
	if !ok {
		return s.add(r, name, now)
	}
	d := v.(*Destination)
	d.touch(now)
	return d
}

func (s *Client) add(r *registry, name string, now time.Time) *Destination {
	defer s.events.tell()
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.byName.Load(name); ok {
		return v.(*Destination)
	}
	r.sweep(now)
	d := newDestination(s, name, "")
	d.direct = r == &s.directs
	d.touch(now)
	s.setting.Lock()
	defer s.setting.Unlock()
	d.adopt(s.now.Load()) // first: the endpoints are arranged as the policy says
	if !d.direct && !s.ending.Load() {
		var ctx context.Context
		ctx, d.stop = context.WithCancel(s.ctx)
		s.watches.Go(func() { d.watch(ctx) })
	}
	r.byName.Store(name, d)
	r.size++
	return d
}

// touch notes that the destination is in use, to the second: a write at every call would be contended for nothing.
func (d *Destination) touch(now time.Time) {
	if t := now.Unix(); d.used.Load() != t {
		d.used.Store(t)
	}
}

// Pin keeps the destination, idle or not, until Unpin.
func (d *Destination) Pin() {
	if d.parent != nil {
		d.parent.Pin() // the watch is the parent's
	}
	d.pins.Add(1)
}

// Unpin takes back one Pin.
func (d *Destination) Unpin() {
	d.pins.Add(-1)
	if d.parent != nil {
		d.parent.Unpin()
	}
}

// Pinned reports whether anybody needs the destination even when no call does.
func (d *Destination) Pinned() bool { return d.pins.Load() > 0 }

// sweep drops what has been idle, now and then. The caller holds mu.
func (r *registry) sweep(now time.Time) {
	every, limit := time.Minute, idleAfter
	if r.size > crowd {
		every, limit = 10*time.Second, hurriedAfter
	}
	if now.Sub(r.swept) < every {
		return
	}
	r.swept = now
	r.byName.Range(func(key, v any) bool {
		d := v.(*Destination)
		after := limit
		if d.unknown() {
			after = hurriedAfter
		}
		if d.used.Load() < now.Add(-after).Unix() && d.pins.Load() == 0 {
			r.byName.Delete(key)
			r.size--
			d.retire()
		}
		return true
	})
}

// unknown reports whether the source has not said of the destination that there is such a service.
func (d *Destination) unknown() bool {
	if d.direct {
		return false
	}
	eps := d.Endpoints()
	return eps == nil || eps.absent
}

func (r *registry) each(f func(*Destination)) {
	r.byName.Range(func(_, v any) bool {
		f(v.(*Destination))
		return true
	})
}
