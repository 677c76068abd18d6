package discovery

import "maps"

// Apply is the set that holds after the update, when old held before: the endpoints that stay keep their place, changed
// ones too, and new ones come last. It changes neither old nor the update; what it returns may share memory with both.
//
// A [Failed] update leaves old as it is; after [Absent] there are no endpoints. One change among ten thousand endpoints
// costs little more than to copy the list.
func (u Update) Apply(old []Endpoint) []Endpoint {
	switch u.Kind {
	case Set:
		return u.Endpoints
	case Absent:
		return nil
	case Diff:
		return u.applyDiff(old)
	}
	return old
}

func (u Update) applyDiff(old []Endpoint) []Endpoint {
	const gone = -1
	news := make(map[string]int, len(u.Endpoints)+len(u.Removed))
	for _, addr := range u.Removed {
		news[addr] = gone
	}
	for i, e := range u.Endpoints {
		news[e.Addr] = i // an address that is both removed and given is replaced
	}
	next := make([]Endpoint, 0, len(old)+len(u.Endpoints))
	for _, e := range old {
		i, changed := news[e.Addr]
		switch {
		case !changed:
			next = append(next, e)
		case i != gone:
			next = append(next, u.Endpoints[i])
			delete(news, e.Addr)
		}
	}
	for i, e := range u.Endpoints {
		if at, left := news[e.Addr]; left && at == i {
			next = append(next, e)
		}
	}
	return next
}

// same reports whether two endpoints are alike in all that a source says.
func same(a, b Endpoint) bool {
	return a.Addr == b.Addr && a.Zone == b.Zone && a.Region == b.Region && a.SubZone == b.SubZone &&
		a.Weight == b.Weight && a.ID == b.ID && maps.Equal(a.Metadata, b.Metadata)
}

// Difference is the shortest news of the step from old to next, and false where there is none; order is not news. It is a
// [Diff], or a [Set] of next where a diff would be more than half as long. Sources use it who learn of whole sets.
func Difference(old, next []Endpoint) (Update, bool) { return diff(old, next) }

// diff is the shortest news of the step from old to next, and false where there is none. Order is not news.
func diff(old, next []Endpoint) (Update, bool) {
	whole := next
	for len(old) > 0 && len(next) > 0 && same(old[0], next[0]) {
		old, next = old[1:], next[1:]
	}
	for len(old) > 0 && len(next) > 0 && same(old[len(old)-1], next[len(next)-1]) {
		old, next = old[:len(old)-1], next[:len(next)-1]
	}
	u := Update{Kind: Diff}
	before := make(map[string]Endpoint, len(old))
	for _, e := range old {
		before[e.Addr] = e
	}
	for _, e := range next {
		if b, ok := before[e.Addr]; !ok || !same(b, e) {
			u.Endpoints = append(u.Endpoints, e)
		}
		delete(before, e.Addr)
	}
	for _, e := range old {
		if _, left := before[e.Addr]; left {
			u.Removed = append(u.Removed, e.Addr)
		}
	}
	n := len(u.Endpoints) + len(u.Removed)
	if n > len(whole)/2 {
		u = Update{Kind: Set, Endpoints: whole}
	}
	return u, n > 0
}
