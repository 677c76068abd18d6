package manifest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// istioDefaults adds a route for hosts that have a DestinationRule and no route: Istio has one for every service, with its
// default retries, and by it all names of a service lead to one destination. It comes after everything else that makes
// routes.
func (t *translation) istioDefaults() {
	x := t.istio
	routed := x.routed()
	for _, host := range slices.SortedFunc(maps.Keys(x.governed), wildcardsLast) {
		names := slices.DeleteFunc(x.aliasesOf(host), func(name string) bool { return routed[name] })
		if len(names) > 0 {
			o := x.governed[host].o
			t.route(o, "spec.host", x.way(x.name(o.String(), "default", x.canonical(host)), host, names))
		}
	}
}

// routed are the hosts that resources have routes for.
func (x *istio) routed() map[string]bool {
	hosts := map[string]bool{}
	for i := range x.state.Policy.Routes {
		if o := x.state.routes[i].Object; o != nil && (o.Kind == "Service" || o.Kind == "ServiceEntry") {
			continue // a route to another port, for some of the requests
		}
		for _, host := range x.state.Policy.Routes[i].Hosts {
			hosts[host] = true
		}
	}
	return hosts
}

// wildcardsLast is the order in which hosts are asked: names first, then the longest wildcard.
func wildcardsLast(a, b string) int {
	wildA, wildB := strings.HasPrefix(a, "*"), strings.HasPrefix(b, "*")
	if wildA && wildB {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	}
	return cmp.Or(compareBool(wildA, wildB), cmp.Compare(a, b))
}
