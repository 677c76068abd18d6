package manifest

import (
	"slices"
	"strconv"

	"github.com/intramesh/intramesh/client/traffic"
)

// routeList are the routes for calls to a Service, at one of its ports or at all that have no list of their own.
type routeList struct {
	f      *frontend
	port   uint16 // 0: all others, and calls that name none
	routes []*boundRoute
}

// emit puts the routes into the policy, Service by Service.
func (g *gatewayRoutes) emit() {
	var lists []routeList
	for _, host := range sortedKeys(g.services) {
		for _, l := range g.lists(g.services[host]) {
			for _, r := range l.routes {
				r.lists++
			}
			lists = append(lists, l)
		}
	}
	for i := range lists {
		g.emitList(&lists[i])
	}
}

// lists are those of a Service. Where every route is bound to all ports there is one. Else each port has its own, and the last
// one is for the usual port, which calls that name none go to. Of a Service that no manifest defines only the ports that routes
// name are known.
func (g *gatewayRoutes) lists(f *frontend) (lists []routeList) {
	var named []uint16
	for _, b := range f.bound {
		if b.port != 0 {
			named = append(named, b.port)
		}
	}
	s, usual := g.service(f.host), uint16(0)
	if len(named) > 0 && s != nil && !s.anyPort && s.usual() != nil {
		usual = s.usual().number
		for i := range s.ports {
			named = append(named, s.ports[i].number)
		}
	}
	slices.Sort(named)
	last := routeList{f: f, routes: g.chosen(f, usual)}
	for _, port := range slices.Compact(named) {
		l := routeList{f, port, g.chosen(f, port)}
		if port != usual && (len(l.routes) > 0 || len(last.routes) > 0) {
			lists = append(lists, l)
		}
	}
	if len(last.routes) > 0 {
		lists = append(lists, last)
	}
	return lists
}

// chosen are the routes that apply to calls to a port, by GEP-1294: consumer routes of the own namespace, or else producer
// routes; of these GRPCRoutes, or else HTTPRoutes.
func (g *gatewayRoutes) chosen(f *frontend, port uint16) []*boundRoute {
	var consumer, producer []*boundRoute
	for _, b := range f.bound {
		switch {
		case b.port != 0 && b.port != port:
		case b.route.o.Namespace == f.namespace:
			producer = append(producer, b.route)
		case b.route.o.Namespace == g.cfg.Namespace:
			consumer = append(consumer, b.route)
		}
	}
	routes := consumer
	if len(routes) == 0 {
		routes = producer
	}
	var http, grpc []*boundRoute
	for _, r := range routes {
		if r.grpc {
			grpc = append(grpc, r)
		} else {
			http = append(http, r)
		}
	}
	if len(grpc) == 0 {
		return http
	}
	for _, r := range http {
		g.warn(r.o, "spec.parentRefs", "has no effect for %s: %v is bound to it, too, and a GRPCRoute goes before an HTTPRoute (GEP-1294)",
			portOf(g.canonical(f.host), port), grpc[0].o)
	}
	return grpc
}

func portOf(name string, port uint16) string {
	if port == 0 {
		return name
	}
	return name + ":" + strconv.Itoa(int(port))
}

// hosts are the patterns for the calls that a list is for.
func (g *gatewayRoutes) hosts(l *routeList) []string {
	names := g.aliases(l.f.host)
	if s := g.service(l.f.host); s != nil && len(s.aliases) > 0 {
		names = s.aliases
	}
	hosts := make([]string, len(names))
	for i, name := range names {
		hosts[i] = portOf(name, l.port)
	}
	return hosts
}

// emitList adds the rules of a list by their rank, and after them what answers a request that none of them matches. A list
// without routes lets calls go where they were sent: it keeps them from the last list of its Service.
func (g *gatewayRoutes) emitList(l *routeList) {
	at := portOf(g.canonical(l.f.host), l.port)
	hosts := g.hosts(l)
	if len(l.routes) == 0 {
		first := l.f.bound[0].route.o
		g.route(first, "spec.parentRefs", traffic.Route{Name: "no route for " + at, Hosts: hosts})
		return
	}
	all, calls := g.emitRules(l, at, hosts)
	if !all {
		g.refuseRest(l.routes[0].o, at, hosts, calls)
	}
}

// refuseRest answers what no rule matches: 404, which over gRPC is UNIMPLEMENTED, as a policy's 501 is. calls says that every
// gRPC call has a rule.
func (g *gatewayRoutes) refuseRest(o *Object, at string, hosts []string, calls bool) {
	if !calls {
		g.route(o, "spec.rules", traffic.Route{
			Name: "no rule for calls to " + at, Hosts: hosts, Match: []traffic.Match{{GRPC: &traffic.GRPCMatch{}}},
			Respond: &traffic.Response{Status: 501, Body: "no rule for calls to " + at},
		})
	}
	g.route(o, "spec.rules", traffic.Route{
		Name: "no rule for requests to " + at, Hosts: hosts,
		Respond: &traffic.Response{Status: 404, Body: "no rule for requests to " + at},
	})
}
