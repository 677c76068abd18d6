package discovery

import "slices"

// opinion is what one source says.
type opinion struct {
	spoken bool // it has said something, be it that it failed
	phase  Kind // Failed until it answered, then Set or Absent
	set    map[string]Endpoint
}

// apply follows the source and returns the addresses of which it may now say something else.
func (o *opinion) apply(news Update) (touched []string) {
	switch news.Kind {
	case Set:
		touched = o.replace(news.Endpoints)
	case Absent:
		touched = o.replace(nil)
	case Diff:
		if o.phase != Set {
			return nil // a difference to nothing: the source breaks the rules, and the others go on
		}
		for _, addr := range news.Removed {
			delete(o.set, addr)
		}
		touched = slices.Clone(news.Removed)
		for _, e := range news.Endpoints {
			o.set[e.Addr] = e
			touched = append(touched, e.Addr)
		}
		return touched
	case Failed:
		return nil
	}
	o.phase = news.Kind
	return touched
}

// replace takes a whole set.
func (o *opinion) replace(next []Endpoint) (touched []string) {
	old := o.set
	o.set = make(map[string]Endpoint, len(next))
	for _, e := range next {
		o.set[e.Addr] = e
		if before, had := old[e.Addr]; !had || !same(before, e) {
			touched = append(touched, e.Addr)
		}
	}
	for addr := range old {
		if _, stays := o.set[addr]; !stays {
			touched = append(touched, addr)
		}
	}
	return touched
}
