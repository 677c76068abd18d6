package stack

import (
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// Subset is the part of the destination's endpoints that the policy calls by that name: a destination of its own, as a
// cluster is in Envoy, with its own load, ejections, breaker and connections. Its endpoints come from d.
func (d *Destination) Subset(name string, now time.Time) *Destination {
	if v, ok := d.subsets.Load(name); ok {
		sub := v.(*Destination)
		sub.touch(now)
		return sub
	}
	return d.addSubset(name, now)
}

func (d *Destination) addSubset(name string, now time.Time) *Destination {
	d.client.setting.Lock()
	defer d.client.setting.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if v, ok := d.subsets.Load(name); ok {
		return v.(*Destination)
	}
	sub := newDestination(d.client, d.service, name)
	sub.parent = d
	sub.touch(now)
	sub.adopt(d.client.now.Load())
	if eps := d.Endpoints(); eps != nil {
		sub.derive(discovery.Update{Kind: discovery.Set, Endpoints: d.book.listed()}, eps.absent)
	}
	d.subsets.Store(name, sub)
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
	labels := d.labels()
	var in []discovery.Endpoint
	out := u.Removed
	for _, e := range u.Endpoints {
		if carries(e.Metadata, labels) {
			in = append(in, e)
		} else if u.Kind == discovery.Diff {
			out = append(out[:len(out):len(out)], e.Addr) // it may have had the labels until now
		}
	}
	if u.Kind == discovery.Diff {
		d.book.diff(in, out)
	} else {
		d.book.set(in)
	}
	d.publish(absent)
}

// labels are those that the subset's endpoints have, as the policy of its service says: the subset's own is an older one
// where there is no such subset any more. Then nothing has them.
func (d *Destination) labels() map[string]string {
	r := d.parent.regime.Load()
	if r.of.table == nil {
		return nil
	}
	labels, err := r.of.table.Subset(d.service, d.subset)
	if err != nil {
		return impossible
	}
	return labels
}

// impossible is what no endpoint carries.
var impossible = map[string]string{"\x00": "\x00"}

func carries(metadata, labels map[string]string) bool {
	for k, v := range labels {
		if got, ok := metadata[k]; !ok || got != v {
			return false
		}
	}
	return true
}
