package manifest

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// virtualService is one that concerns callers, with the routes that are for them.
type virtualService struct {
	o      *Object
	spec   *networking.VirtualService
	routes []*httpRoute
	scopes []scope
}

// httpRoute is a route with the delegate's and the root's parts put together.
type httpRoute struct {
	*networking.HTTPRoute
	matches []matchOf
	// o and field are where most of it is written: of a delegated route in the delegate.
	o     *Object
	field string
}

// matchOf is a match that is for this process.
type matchOf struct {
	*networking.HTTPMatchRequest
	field string
}

// concerns says whether a resource is for callers of the mesh; one that is for gateways alone is left out with a warning.
// Delegates are checked, and used where a root asks for them.
func (x *istio) concerns(o *Object, spec *networking.VirtualService) bool {
	to := spec.GetGateways()
	if len(to) == 0 || slices.Contains(to, "mesh") || len(spec.GetHosts()) == 0 {
		return true
	}
	x.warn(o, "spec.gateways", "is for gateways only and is left out; \"mesh\" among them makes it one for callers")
	return false
}

// routesOf are the routes of a resource that are for this process, those of delegates in the place of the routes that ask
// for them. Matches for other gateways and namespaces are left out, and so are routes that have no other ones.
func (x *istio) routesOf(o *Object, spec *networking.VirtualService, d *delegates) (routes []*httpRoute) {
	for i, r := range spec.GetHttp() {
		at := index("spec.http", i)
		if r.GetDelegate() != nil {
			for _, merged := range d.merge(x, o, at, r) {
				routes = append(routes, x.mine(merged)...)
			}
			continue
		}
		routes = append(routes, x.mine(&httpRoute{HTTPRoute: r, o: o, field: at})...)
	}
	return routes
}

// mine is the route with the matches that are for this process; none where it has others alone.
func (x *istio) mine(r *httpRoute) []*httpRoute {
	if len(r.GetMatch()) == 0 {
		return []*httpRoute{r}
	}
	for i, m := range r.GetMatch() {
		if x.forMesh(m) {
			r.matches = append(r.matches, matchOf{m, index(r.field+".match", i)})
		}
	}
	if len(r.matches) == 0 {
		return nil
	}
	return []*httpRoute{r}
}

// forMesh is Istio's sourceMatchHTTP: a match that names gateways is for those, whatever else it says of the caller.
func (x *istio) forMesh(m *networking.HTTPMatchRequest) bool {
	if g := m.GetGateways(); len(g) > 0 {
		return slices.Contains(g, "mesh")
	}
	return m.GetSourceNamespace() == "" || m.GetSourceNamespace() == x.cfg.Namespace
}

// source are the labels that a match asks of the caller. One that names gateways asks for none.
func source(m *networking.HTTPMatchRequest) map[string]string {
	if len(m.GetGateways()) > 0 {
		return nil
	}
	return m.GetSourceLabels()
}

// name is that of a route in the policy: "VirtualService/orders/canary".
func (x *istio) name(parts ...string) string {
	name := strings.Join(parts, "/")
	x.names[name]++
	if n := x.names[name]; n > 1 {
		return name + "#" + decimal(uint32(n))
	}
	return name
}
