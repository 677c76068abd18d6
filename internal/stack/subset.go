package stack

import (
	"maps"
	"slices"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// Subset is the part of the destination's endpoints that the policy calls by that name: a destination of its own, as a
// cluster is in Envoy, with its own load, ejections, breaker and connections. Its endpoints come from d. It is asked for by
// a call under g.
func (d *Destination) Subset(name string, g *generation, now time.Time) *Destination {
	if v, ok := d.subsets.Load(name); ok {
		sub := v.(*Destination)
		sub.touch(now)
		return sub
	}
	return d.addSubset(name, g, now)
}

func (d *Destination) addSubset(name string, g *generation, now time.Time) *Destination {
	s := d.client
	defer s.events.tell()
	s.setting.Lock()
	defer s.setting.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if v, ok := d.subsets.Load(name); ok {
		return v.(*Destination)
	}
	sub := newDestination(s, d.service, name)
	sub.parent, sub.carried = d, impossible
	sub.touch(now)
	of := s.now.Load()
	if _, err := of.labels(sub); err != nil {
		of = g // the policy has just lost it, under the call
	}
	sub.adopt(of)
	sub.relabel(of)
	sub.settle(s.now.Load())
	sub.fill()
	d.subsets.Store(name, sub)
	if d.retired {
		sub.retire()
	}
	return sub
}

// eachSubset calls f for every subset that calls have gone to.
func (d *Destination) eachSubset(f func(*Destination)) {
	d.subsets.Range(func(_, v any) bool {
		f(v.(*Destination))
		return true
	})
}

// derive applies what the parent has learnt, as far as it concerns the subset. The caller holds the parent's mu.
func (d *Destination) derive(u discovery.Update, absent bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var in []discovery.Endpoint
	out := slices.Clip(u.Removed)
	for _, e := range u.Endpoints {
		if carries(e.Metadata, d.carried) {
			in = append(in, e)
		} else if u.Kind == discovery.Diff {
			out = append(out, e.Addr) // it may have had the labels until now
		}
	}
	if u.Kind == discovery.Diff {
		d.book.diff(in, out)
	} else {
		d.book.set(in)
	}
	d.publish(absent)
}

// fill gives the subset its endpoints, out of all that its parent has. The caller holds the parent's mu.
func (d *Destination) fill() {
	if eps := d.parent.Endpoints(); eps != nil {
		d.derive(discovery.Update{Kind: discovery.Set, Endpoints: d.parent.book.listed()}, eps.absent)
	}
}

// relabel notes which labels the subset's endpoints have, as g says, and reports whether they are other ones than before.
// The last ones hold where g has no such subset. The caller holds the parent's mu.
func (d *Destination) relabel(g *generation) (changed bool) {
	labels, err := g.labels(d)
	if err != nil || maps.Equal(labels, d.carried) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.carried = labels
	return true
}

// impossible is what no endpoint carries: the labels of a subset that nobody has heard of.
var impossible = map[string]string{"\x00": "\x00"}

func carries(metadata, labels map[string]string) bool {
	for k, v := range labels {
		if got, ok := metadata[k]; !ok || got != v {
			return false
		}
	}
	return true
}
