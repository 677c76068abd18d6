package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// hostGroups are the VirtualServices of each host. Istio merges none for callers of the mesh: of several the oldest one
// counts, and the longest wildcard goes before shorter ones.
type hostGroups struct {
	*istio
	exact, wild map[string]*hostGroup // by full name, and by "*.suffix"
}

// hostGroup are the resources for one host that are asked one after the other: a further one only as long as those before
// leave callers or ports to it.
type hostGroup struct {
	host   string
	list   []*virtualService
	closed *virtualService // the one that leaves nothing
}

// take files a resource under each of its hosts.
func (g *hostGroups) take(v *virtualService) {
	for i, name := range v.spec.GetHosts() {
		host := g.host(name, v.o.Namespace)
		in := g.exact
		if strings.HasPrefix(host, "*") {
			in = g.wild
		}
		if in[host] == nil {
			in[host] = &hostGroup{host: host}
		}
		g.file(in[host], v, index("spec.hosts", i))
	}
}

func (g *hostGroups) file(h *hostGroup, v *virtualService, field string) {
	if slices.Contains(h.list, v) {
		g.warn(v.o, field, "has no effect: it is another name of %q, which stands before it", h.host)
		return
	}
	if h.closed != nil {
		g.warn(v.o, field, "has no effect: %s has %q already, and of two the older one counts", h.closed.o, h.host)
		return
	}
	if len(h.list) > 0 {
		g.warn(v.o, field, "%s has %q already: only what that leaves to callers and ports comes here", h.list[0].o, h.host)
	}
	h.list = append(h.list, v)
	if all(v.scopes) {
		h.closed = v
	}
}

// emit makes routes: of exact hosts first, then of wildcards, the longest first. A wildcard also stands for the other names
// of the services below it that have no resource of their own.
func (g *hostGroups) emit() {
	for _, host := range sortedKeys(g.exact) {
		g.called[host] = true
	}
	wild := slices.SortedFunc(maps.Keys(g.wild), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	below := g.below(wild)
	var last []*bundle
	bundles := bundlesOf(g, sortedKeys(g.exact), g.exact)
	for _, b := range bundles {
		b.emit(g.istio)
	}
	for _, host := range wild {
		h := g.wild[host]
		b := &bundle{list: h.list, closed: h.closed != nil, wild: host, hosts: []string{host}, patterns: []string{host}}
		if prefix, ok := strings.CutSuffix(host, ".svc."+g.cfg.Domain); ok && strings.Count(prefix, ".") == 1 {
			b.patterns = append(b.patterns, prefix+".svc") // "*.shop.svc"
		}
		for _, name := range below[host] {
			b.patterns = append(b.patterns, slices.DeleteFunc(g.aliasesOf(name), func(a string) bool { return a == "" })...)
		}
		last = append(last, b)
	}
	for _, b := range last {
		b.emit(g.istio)
	}
}

// below are the known hosts that a wildcard is the longest one for, without those that have a resource of their own.
func (g *hostGroups) below(wild []string) map[string][]string {
	list := map[string][]string{}
	for _, host := range g.known() {
		if g.exact[host] != nil {
			continue
		}
		for _, w := range wild {
			if matchesHost(w, host) {
				list[w] = append(list[w], host)
				break
			}
		}
	}
	return list
}

// known are the hosts that manifests define or have rules for.
func (x *istio) known() []string {
	hosts := map[string]bool{}
	for host := range x.state.services.hosts {
		hosts[host] = true
	}
	for host := range x.rules.exactHosts {
		hosts[host] = true
	}
	maps.DeleteFunc(hosts, func(host string, _ bool) bool { return strings.HasPrefix(host, "*") })
	return sortedKeys(hosts)
}

// matchesHost says whether a host is below "*.suffix", or is any where that is "*".
func matchesHost(wildcard, host string) bool {
	return strings.HasSuffix(host, wildcard[1:]) && len(host) > len(wildcard)-1
}

// bundle is hosts that have the same resources, which become routes together.
type bundle struct {
	list     []*virtualService
	closed   bool
	hosts    []string // full names
	patterns []string // the names by which they are called
	wild     string   // the wildcard, for the names of routes
}

// bundlesOf puts hosts with the same resources together, in the order of the first.
func bundlesOf(g *hostGroups, hosts []string, groups map[string]*hostGroup) (bundles []*bundle) {
	at := map[string]*bundle{}
	for _, host := range hosts {
		h := groups[host]
		if len(h.list) == 0 {
			continue
		}
		var key strings.Builder
		for _, v := range h.list {
			key.WriteString(v.o.File + ":" + v.o.String() + "\n")
		}
		b := at[key.String()]
		if b == nil {
			b = &bundle{list: h.list, closed: h.closed != nil}
			at[key.String()] = b
			bundles = append(bundles, b)
		}
		b.hosts = append(b.hosts, host)
		b.patterns = append(b.patterns, g.aliasesOf(host)...)
	}
	return bundles
}

// emit makes the routes of a bundle: of each resource its own, then the 404, and where there are callers or ports of a host
// that none is for, the way to the service itself.
func (b *bundle) emit(x *istio) {
	for _, v := range b.list {
		for _, r := range v.routes {
			x.emitRoute(b, v, r)
		}
		if left := unmatched(v.scopes); len(left) > 0 {
			x.notFound(b, v, left)
		}
	}
	if b.closed || b.wild != "" { // below a wildcard a shorter one may come
		return
	}
	for _, host := range b.hosts {
		o := b.list[0].o
		x.route(o, "spec.hosts", x.way(x.name(o.String(), "default", host), host, x.aliasesOf(host)))
	}
}

// notFound is the answer to requests that no route matches.
func (x *istio) notFound(b *bundle, v *virtualService, left []scope) {
	r := traffic.Route{Name: x.name(append([]string{v.o.String()}, b.suffix("unmatched")...)...), Hosts: b.patterns}
	if !all(left) {
		for _, s := range left {
			r.Match = append(r.Match, s.match())
		}
	}
	r.Respond = &traffic.Response{Status: 404}
	x.route(v.o, "spec.http", r)
}

// suffix is the end of a route's name; those for a wildcard say which.
func (b *bundle) suffix(name string) []string {
	if b.wild == "" {
		return []string{name}
	}
	return []string{name, b.wild}
}

// way is the route to a host that no VirtualService has one for: Istio's default, with its retries and no timeout.
func (x *istio) way(name, host string, hosts []string) traffic.Route {
	r := traffic.Route{Name: name, Hosts: hosts, Timeout: -1, Retry: defaultRetry()}
	if !strings.HasPrefix(host, "*") {
		r.To = []traffic.Backend{{Service: x.canonical(host)}}
	}
	return r
}
