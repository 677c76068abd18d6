package manifest

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/intramesh/intramesh/discovery"
)

// plan is what is to be told of a service that somebody asks for.
type plan struct {
	known  bool
	ready  []discovery.Endpoint // as they are
	lookup []discovery.Endpoint // whose hosts are to be looked up again and again, each for all of its addresses
}

func (p *plan) equal(q *plan) bool {
	return p.known == q.known && slices.EqualFunc(p.ready, q.ready, same) && slices.EqualFunc(p.lookup, q.lookup, same)
}

func same(a, b discovery.Endpoint) bool {
	return a.Addr == b.Addr && a.Zone == b.Zone && a.Region == b.Region && a.SubZone == b.SubZone &&
		a.Weight == b.Weight && a.ID == b.ID && maps.Equal(a.Metadata, b.Metadata)
}

// plan is that for a name that was asked for.
func (s *State) plan(called string) *plan {
	of, port, name, found := s.services.find(called)
	if !found {
		return &plan{}
	}
	p := &plan{known: true}
	switch {
	case of.resolve == resolveAsked:
		p.add(name, port.fallback(), workload{}, false)
	case of.resolve != resolveNone && len(of.workloads) == 0:
		p.add(of.host, port.fallback(), workload{}, of.resolve == resolveNames)
	default:
		p.workloads(of, port)
	}
	return p
}

// workloads adds an endpoint for each workload that has the port. Of two with the same address the first counts.
func (p *plan) workloads(of *service, port *port) {
	seen := make(map[string]bool, len(of.workloads))
	for i := range of.workloads {
		w := &of.workloads[i]
		number, ok := w.port(port)
		if !ok {
			continue
		}
		addr := w.address
		if !isUnix(addr) {
			addr = net.JoinHostPort(addr, strconv.Itoa(int(number)))
		}
		if seen[addr] {
			continue
		}
		seen[addr] = true
		p.add(w.address, number, *w, of.resolve == resolveNames && !isAddress(w.address))
	}
}

// add adds an endpoint.
func (p *plan) add(host string, port uint16, w workload, lookup bool) {
	e := discovery.Endpoint{
		Addr: host, Region: w.locality[0], Zone: w.locality[1], SubZone: w.locality[2],
		Weight: w.weight, Metadata: w.labels, ID: w.id,
	}
	if !isUnix(host) {
		e.Addr = net.JoinHostPort(host, strconv.Itoa(int(port)))
	}
	if lookup {
		p.lookup = append(p.lookup, e)
	} else {
		p.ready = append(p.ready, e)
	}
}

func isUnix(address string) bool { return len(address) > 5 && address[:5] == "unix:" }

// port is where the workload takes calls for a port of the service: as it says itself, else as the service says, else the same
// number.
func (w *workload) port(p *port) (number uint16, ok bool) {
	if n, named := w.ports[p.name]; named {
		return n, true
	}
	if w.exact {
		return 0, false
	}
	if n, named := w.ports[p.target]; named {
		return n, true
	}
	return p.fallback(), true
}

// fallback is the port of workloads that say nothing of it.
func (p *port) fallback() uint16 {
	n, _ := strconv.ParseUint(p.target, 10, 16)
	return cmp.Or(uint16(n), p.number)
}
