package consul

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/intramesh/intramesh/discovery"
)

// reading is one answer, read.
type reading struct {
	endpoints []discovery.Endpoint // that should be called, sorted by address
	out       map[string]condition // those that should not, by address
	bad       []error              // instances that cannot be used
}

// read makes endpoints of all instances that should be called. Where several stand at one address, the one that was
// registered last holds: what was there before is gone and has not been removed yet. trustDomain is that of Consul's own
// CA; empty: not known.
func read(all []*member, trustDomain string) reading {
	out := reading{out: make(map[string]condition)}
	at := make(map[string]*member, len(all))
	for _, in := range all {
		switch addr := in.endpoint.Addr; {
		case in.bad != nil:
			out.bad = append(out.bad, in.bad)
		case in.state != up:
			out.out[addr] = max(out.out[addr], in.state)
		case at[addr] == nil || in.created > at[addr].created:
			at[addr] = in
		}
	}
	out.endpoints = slices.Grow(out.endpoints, len(at))
	for addr, in := range at {
		p := in.endpoint
		if p.ID == "" && in.connect != "" && trustDomain != "" {
			p.ID = (&url.URL{Scheme: "spiffe", Host: trustDomain, Path: in.connect}).String()
		}
		out.endpoints = append(out.endpoints, p)
		delete(out.out, addr)
	}
	slices.SortFunc(out.endpoints, func(a, b discovery.Endpoint) int { return cmp.Compare(a.Addr, b.Addr) })
	return out
}
