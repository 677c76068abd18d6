package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// defaults says how services are treated where no resource says so, as their ports and their location have it. It comes
// after the translators.
func (t *translation) defaults() {
	r := t.state.services
	if !slices.ContainsFunc(slices.Collect(maps.Values(r.hosts)), (*service).hasDefaults) {
		return
	}
	p, more := &t.state.Policy, 0
	for _, s := range r.hosts {
		if s.hasDefaults() {
			more += max(1, len(s.aliases)) * (len(s.ports) + 1)
		}
	}
	p.Destinations, t.state.destinations = slices.Grow(p.Destinations, more), slices.Grow(t.state.destinations, more)
	d := newEntries(t)
	for _, host := range sortedKeys(r.hosts) {
		if s := r.hosts[host]; s.hasDefaults() {
			names := s.aliases
			if len(names) == 0 {
				names = []string{host} // a wildcard
			}
			for _, name := range names {
				d.service(s, name)
			}
		}
	}
	t.secure()
}

func (s *service) hasDefaults() bool {
	return s.external || slices.ContainsFunc(s.ports, func(p port) bool { return p.http2() })
}

// http2 says whether requests over HTTP travel over HTTP/2 to this port also without TLS.
func (p *port) http2() bool {
	return p.protocol == "HTTP2" || p.protocol == "GRPC" || p.protocol == "GRPC-WEB"
}

// fill adds what a port asks for to settings that do not say it.
func (s *service) fill(p *port, to *traffic.Settings) {
	if p.http2() && (to.Connections == nil || to.Connections.HTTP2 == nil) {
		c := traffic.Connections{}
		if to.Connections != nil {
			c = *to.Connections
		}
		yes := true
		c.HTTP2 = &yes
		to.Connections = &c
	}
	if s.external && to.TLS == nil {
		to.TLS = s.tls(p)
	}
}

// tls is how a service outside of the mesh is called: as its port says.
func (s *service) tls(p *port) *traffic.TLS {
	if p.protocol == "HTTPS" || p.protocol == "TLS" || p.protocol == "" && p.number == 443 {
		return &traffic.TLS{Mode: traffic.TLSSimple, Names: s.sans}
	}
	return &traffic.TLS{Mode: traffic.TLSDisable}
}

// entries are the destinations of a policy, by name and port.
type entries struct {
	t  *translation
	at map[entryKey]int
}

type entryKey struct {
	name string
	port uint16
}

func newEntries(t *translation) *entries {
	d := &entries{t: t, at: make(map[entryKey]int, cap(t.state.Policy.Destinations))}
	for i, e := range t.state.Policy.Destinations {
		d.at[entryKey{strings.ToLower(e.Service), e.Port}] = i
	}
	return d
}

// service gives every port of a service an entry of its own that says what the port asks for. The one for calls without a
// port is like that of the usual port.
func (d *entries) service(s *service, name string) {
	base, origin := d.counts(name)
	for i := range s.ports {
		d.put(s, name, s.ports[i].number, &s.ports[i], base, origin)
	}
	if p := s.usual(); p != nil {
		d.put(s, name, 0, p, base, origin)
	} else if s.anyPort {
		d.put(s, name, 443, &port{number: 443}, base, origin)
		d.put(s, name, 0, &port{number: 80}, base, origin)
	}
}

// put completes the entry for a port, which is made of base where there is none.
func (d *entries) put(s *service, name string, number uint16, p *port, base traffic.Destination, origin Origin) {
	list := &d.t.state.Policy.Destinations
	i, there := d.at[entryKey{name, number}]
	if !there {
		i = len(*list)
		d.at[entryKey{name, number}] = i
		base.Service, base.Port = name, number
		*list = append(*list, base)
		d.t.state.destinations = append(d.t.state.destinations, origin)
	}
	d.complete(s, p, &(*list)[i])
}

// complete fills in the settings of a destination, and those of its subsets that would replace what was filled in.
func (d *entries) complete(s *service, p *port, to *traffic.Destination) {
	s.fill(p, &to.Settings)
	if !p.http2() {
		return
	}
	to.Subsets = slices.Clone(to.Subsets)
	for i := range to.Subsets {
		if c := to.Subsets[i].Connections; c != nil && c.HTTP2 == nil {
			own := *c
			own.HTTP2 = to.Connections.HTTP2
			to.Subsets[i].Connections = &own
		}
	}
}

// counts is the entry that counts for a name without a port: its own, else that of the longest suffix, else that of all.
func (d *entries) counts(name string) (traffic.Destination, Origin) {
	patterns := []string{name}
	rest := strings.TrimPrefix(name, "*.")
	for i := range len(rest) {
		if rest[i] == '.' {
			patterns = append(patterns, "*"+rest[i:])
		}
	}
	for _, p := range append(patterns, "*") {
		if i, there := d.at[entryKey{p, 0}]; there {
			return d.t.state.Policy.Destinations[i], d.t.state.destinations[i]
		}
	}
	return traffic.Destination{}, Origin{}
}

// secure sends calls of https without a port to port 443 where a service has one that is not its usual one: to policy a call
// without a port is all the same, whatever its scheme.
func (t *translation) secure() {
	for _, host := range sortedKeys(t.state.services.hosts) {
		s := t.state.services.hosts[host]
		p := s.port(443)
		if p == nil || s.usual() == p || p.protocol != "HTTPS" && p.protocol != "TLS" {
			continue
		}
		names := s.aliases
		if len(names) == 0 {
			names = []string{host}
		}
		t.route(s.origin, s.field, traffic.Route{
			Name: s.origin.String() + " https " + host, Hosts: names,
			Match: []traffic.Match{{Port: 443, Scheme: traffic.Exact("https")}}, To: []traffic.Backend{{Port: 443}},
		})
	}
}
