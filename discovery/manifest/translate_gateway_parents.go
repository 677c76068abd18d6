package manifest

import (
	"fmt"
	"slices"

	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// frontend is a Service as routes are bound to it.
type frontend struct {
	host, namespace string
	bound           []binding
}

// binding binds a route to a port of a Service.
type binding struct {
	route *boundRoute
	port  uint16 // 0: all
}

const maxParents = 32

// bind binds a route to the Services among its parents; nil where there is none, and the route is of no account.
func (g *gatewayRoutes) bind(o *Object, spec *gateway.CommonRouteSpec) *boundRoute {
	r := &boundRoute{o: o}
	g.atMost(o, "spec.parentRefs", len(spec.ParentRefs), maxParents)
	gateways, services := 0, 0
	for i := range spec.ParentRefs {
		p, field := &spec.ParentRefs[i], index("spec.parentRefs", i)
		g.checkParent(o, field, p)
		group, kind := groupOf(p.Group, gatewayGroup), kindName(p.Kind, "Gateway")
		switch {
		case group == "" && kind == "Service":
			services++
			g.bindService(r, field, p)
		case group == gatewayGroup && (kind == "Gateway" || kind == "ListenerSet"):
			gateways++
		default:
			g.badParent(o, field, p, group, kind)
		}
	}
	g.distinct(o, spec.ParentRefs)
	switch {
	case services > 0:
		return r
	case gateways > 0:
		g.warn(o, "spec.parentRefs", "bound to Gateways alone, which are for traffic that enters or leaves a mesh; it is left out")
	case len(spec.ParentRefs) == 0:
		g.warn(o, "spec", "no parentRefs, so that nobody uses it; it is left out")
	}
	return nil
}

// badParent finds a parent that is neither a Service nor a Gateway. That of a Service whose group is left out is the usual
// mistake: it is Gateway's then.
func (g *gatewayRoutes) badParent(o *Object, field string, p *gateway.ParentReference, group, kind string) {
	if kind == "Service" && (p.Group == nil || group == "core") {
		at := field + ".group"
		if p.Group == nil {
			at = field
		}
		g.wrong(o, at, "there is no Service in the group %q; want group: \"\"", group)
		return
	}
	g.unsupported(o, field, fmt.Sprintf("%q cannot be a parent here; only a Service can", joinVersion(group, kind)), "it is left out")
}

func (g *gatewayRoutes) checkParent(o *Object, field string, p *gateway.ParentReference) {
	g.checkReference(o, field, p.Group, p.Kind, p.Name, p.Namespace, p.Port)
	if p.SectionName != nil {
		g.checkName(o, field+".sectionName", string(*p.SectionName))
	}
}

// bindService binds a route to one or all ports of a Service.
func (g *gatewayRoutes) bindService(r *boundRoute, field string, p *gateway.ParentReference) {
	namespace := namespaceOf(p.Namespace, r.o)
	host := g.full(string(p.Name), namespace)
	port, ok := g.parentPort(r.o, field, p, g.service(host))
	if !ok || p.Name == "" {
		return
	}
	f := g.services[host]
	if f == nil {
		f = &frontend{host: host, namespace: namespace}
		g.services[host] = f
	}
	if b := (binding{r, port}); !slices.Contains(f.bound, b) {
		f.bound = append(f.bound, b)
	}
}

// parentPort is the port that a parent names; 0 where it names none.
func (g *gatewayRoutes) parentPort(o *Object, field string, p *gateway.ParentReference, s *service) (number uint16, ok bool) {
	if s != nil && externalName(s) {
		g.unsupported(o, field, "a Service of type ExternalName cannot be a parent (GEP-1294)", "it is left out")
		return 0, false
	}
	if p.Port != nil {
		number = uint16(*p.Port)
	}
	if s != nil && !s.anyPort && number != 0 && s.port(number) == nil {
		g.wrong(o, field+".port", "%s has no port %d", s.origin, number)
		return 0, false
	}
	if p.SectionName == nil {
		return number, true
	}
	if s == nil {
		g.wrong(o, field+".sectionName", "no manifest defines the Service, so that its ports are not known by name")
		return 0, false
	}
	var names []string
	for i := range s.ports {
		if q := &s.ports[i]; q.name == string(*p.SectionName) && (number == 0 || number == q.number) {
			return q.number, true
		}
		names = append(names, s.ports[i].name)
	}
	g.unknown(o, field+".sectionName", "port of "+s.origin.String(), string(*p.SectionName), names)
	return 0, false
}

// externalName says whether a service is a Service of Kubernetes that is only another name.
func externalName(s *service) bool {
	spec, is := s.origin.Spec.(*serviceSpec)
	return is && spec.Type == "ExternalName"
}

// distinct checks that parents that are the same object give port and sectionName alike, and not the same ones.
func (g *gatewayRoutes) distinct(o *Object, parents []gateway.ParentReference) {
	if len(parents) > maxParents { // told already
		return
	}
	for i := range parents {
		for j := range i {
			a, b := &parents[j], &parents[i]
			if !sameParent(a, b) {
				continue
			}
			field := index("spec.parentRefs", i)
			switch port, section := value(a.Port) == value(b.Port), value(a.SectionName) == value(b.SectionName); {
			case (value(a.Port) == 0) != (value(b.Port) == 0) || (value(a.SectionName) == "") != (value(b.SectionName) == ""):
				g.wrong(o, field, "the same parent as parentRefs[%d]: both or none must give port, and sectionName", j)
			case port && section:
				g.wrong(o, field, "the same parent as parentRefs[%d]", j)
			}
		}
	}
}

func sameParent(a, b *gateway.ParentReference) bool {
	return groupOf(a.Group, gatewayGroup) == groupOf(b.Group, gatewayGroup) &&
		kindName(a.Kind, "Gateway") == kindName(b.Kind, "Gateway") && a.Name == b.Name && value(a.Namespace) == value(b.Namespace)
}

func groupOf(group *gateway.Group, usual string) string {
	if group == nil {
		return usual
	}
	return string(*group)
}

func kindName(kind *gateway.Kind, usual string) string {
	if kind == nil {
		return usual
	}
	return string(*kind)
}

func namespaceOf(namespace *gateway.Namespace, o *Object) string {
	if namespace == nil {
		return o.Namespace
	}
	return string(*namespace)
}

// value is what a pointer points to; the zero value for nil.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
