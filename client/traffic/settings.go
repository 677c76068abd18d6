package traffic

import (
	"fmt"
	"strings"
)

// destinations finds the [Destination] of a service.
type destinations struct {
	names    map[string]*ports // exact names
	suffixes map[string]*ports // ".shop.internal" of "*.shop.internal"
	all      *ports
}

// ports are the entries of one name.
type ports struct {
	any *destination
	of  map[uint16]*destination
}

// destination is an entry with its settings put together for each subset.
type destination struct {
	entry    *Destination
	settings *Settings // nil where nothing is said
	subsets  map[string]*subset
}

type subset struct {
	labels   map[string]string
	settings *Settings
}

func newDestinations(list []Destination) *destinations {
	d := &destinations{names: make(map[string]*ports), suffixes: make(map[string]*ports)}
	for i := range list {
		d.add(&list[i])
	}
	return d
}

func (d *destinations) add(e *Destination) {
	entry := &destination{entry: e, settings: said(e.Settings)}
	if len(e.Subsets) > 0 {
		entry.subsets = make(map[string]*subset, len(e.Subsets))
	}
	for i := range e.Subsets {
		s := &e.Subsets[i]
		entry.subsets[s.Name] = &subset{labels: s.Labels, settings: said(merge(e.Settings, s.Settings))}
	}
	p := d.ports(lowerString(e.Service))
	if e.Port == 0 {
		p.any = entry
		return
	}
	if p.of == nil {
		p.of = make(map[uint16]*destination)
	}
	p.of[e.Port] = entry
}

// ports are the entries of a pattern, made where there are none.
func (d *destinations) ports(pattern string) *ports {
	if pattern == "*" {
		if d.all == nil {
			d.all = &ports{}
		}
		return d.all
	}
	where := d.names
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		where, pattern = d.suffixes, suffix
	}
	if where[pattern] == nil {
		where[pattern] = &ports{}
	}
	return where[pattern]
}

// find is the entry that counts for a service; nil where there is none.
func (d *destinations) find(service string) *destination {
	name, port := splitPort(service)
	name = lowerString(name)
	if e := d.names[name].find(port); e != nil {
		return e
	}
	for i := range len(name) {
		if name[i] == '.' && i > 0 {
			if e := d.suffixes[name[i:]].find(port); e != nil {
				return e
			}
		}
	}
	return d.all.find(port)
}

func (p *ports) find(port uint16) *destination {
	if p == nil {
		return nil
	}
	if e := p.of[port]; e != nil {
		return e
	}
	return p.any
}

// Settings are how requests to a service, or to a subset of it, are to be treated; nil where the policy says nothing. The
// service may carry ":port". An unknown subset is [ErrUnknownSubset]. The result is the table's and must not be changed;
// for the same arguments it is the same pointer.
func (t *Table) Settings(service, subset string) (*Settings, error) {
	d := t.destinations.find(service)
	if subset == "" {
		if d == nil {
			return nil, nil
		}
		return d.settings, nil
	}
	s, err := d.subset(service, subset)
	if err != nil {
		return nil, err
	}
	return s.settings, nil
}

// Subset are the labels that an endpoint of the subset has. The empty subset has none and is all endpoints. An unknown
// one is [ErrUnknownSubset].
func (t *Table) Subset(service, subset string) (map[string]string, error) {
	if subset == "" {
		return nil, nil
	}
	s, err := t.destinations.find(service).subset(service, subset)
	if err != nil {
		return nil, err
	}
	return s.labels, nil
}

func (d *destination) subset(service, name string) (*subset, error) {
	if d != nil && d.subsets[name] != nil {
		return d.subsets[name], nil
	}
	return nil, fmt.Errorf("%w: %q of service %q", ErrUnknownSubset, name, service)
}
