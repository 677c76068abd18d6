package manifest

import (
	"fmt"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/intramesh/intramesh/internal/nearest"
)

// reference is a field that names a service.
type reference struct {
	o      *Object
	field  string // of the destination as a whole
	name   string // beneath it: where the host is
	text   string // as it is written
	host   string // in full
	subset string
	port   uint32
}

// references are the services that routes lead to, and those that rules are for.
func (l *linter) references() (list []reference) {
	for _, o := range l.objects(istioGroup, "VirtualService") {
		if spec, is := o.Spec.(*networking.VirtualService); is {
			list = append(list, l.routeReferences(o, spec)...)
		}
	}
	for _, o := range l.objects(gatewayGroup, "HTTPRoute") {
		spec := o.Spec.(*gateway.HTTPRouteSpec)
		for i := range spec.Rules {
			for j, b := range spec.Rules[i].BackendRefs {
				list = l.backend(list, o, fmt.Sprintf("spec.rules[%d].backendRefs[%d]", i, j), &b.BackendObjectReference)
			}
			for j, f := range spec.Rules[i].Filters {
				if m := f.RequestMirror; m != nil {
					list = l.backend(list, o, fmt.Sprintf("spec.rules[%d].filters[%d].requestMirror.backendRef", i, j), &m.BackendRef)
				}
			}
		}
	}
	for _, o := range l.objects(gatewayGroup, "GRPCRoute") {
		spec := o.Spec.(*gateway.GRPCRouteSpec)
		for i := range spec.Rules {
			for j, b := range spec.Rules[i].BackendRefs {
				list = l.backend(list, o, fmt.Sprintf("spec.rules[%d].backendRefs[%d]", i, j), &b.BackendObjectReference)
			}
		}
	}
	return list
}

func (l *linter) routeReferences(o *Object, spec *networking.VirtualService) (list []reference) {
	add := func(field string, d *networking.Destination) {
		if d.GetHost() != "" {
			list = append(list, reference{
				o, field, ".host", d.GetHost(), l.host(d.GetHost(), o.Namespace), d.GetSubset(), d.GetPort().GetNumber(),
			})
		}
	}
	for i, h := range spec.GetHttp() {
		at := index("spec.http", i)
		for j, r := range h.GetRoute() {
			add(index(at+".route", j)+".destination", r.GetDestination())
		}
		add(at+".mirror", h.GetMirror())
		for j, m := range h.GetMirrors() {
			add(index(at+".mirrors", j)+".destination", m.GetDestination())
		}
	}
	return list
}

// backend adds a backend of a route of the Gateway API, where it is a Service.
func (l *linter) backend(list []reference, o *Object, field string, b *gateway.BackendObjectReference) []reference {
	if b.Kind != nil && *b.Kind != "Service" || b.Group != nil && *b.Group != "" {
		return list
	}
	namespace := o.Namespace
	if b.Namespace != nil {
		namespace = string(*b.Namespace)
	}
	r := reference{o: o, field: field, name: ".name", text: string(b.Name), host: l.full(strings.ToLower(string(b.Name)), namespace)}
	if b.Port != nil {
		r.port = uint32(*b.Port)
	}
	return append(list, r)
}

// hosts finds services that no manifest declares. Where none declares any they come from another source, and nothing is said.
func (l *linter) hosts() {
	if len(l.state.services.hosts) == 0 {
		return
	}
	list := l.references()
	for _, o := range l.objects(istioGroup, "DestinationRule") {
		spec := o.Spec.(*networking.DestinationRule)
		list = append(list, reference{o: o, field: "spec", name: ".host", text: spec.GetHost(), host: l.host(spec.GetHost(), o.Namespace)})
	}
	for _, r := range list {
		s := l.service(r.host)
		switch {
		case l.toldOf(r.o, r.field+r.name):
		case s == nil && !l.anyBelow(r.host):
			l.nobody(r)
		case s != nil && r.port != 0 && !s.anyPort && s.port(uint16(r.port)) == nil && !l.toldOf(r.o, r.field+".port"):
			l.find(r.o, r.field+".port", fmt.Sprintf("%v has no port %d", s.origin, r.port), "")
		}
	}
}

// nobody tells of a service that is not there for this process.
func (l *linter) nobody(r reference) {
	if l.hidden == nil {
		l.hidden = l.declared()
	}
	if o := l.hidden[r.host]; o != nil {
		l.find(r.o, r.field+r.name, fmt.Sprintf("%v declares %q, and is not exported to the namespace %q", o, r.text, l.cfg.Namespace), "")
		return
	}
	l.find(r.o, r.field+r.name, fmt.Sprintf("no Service and no ServiceEntry declares %q", r.text), l.meant(r))
}

// declared are all hosts that manifests declare, whoever sees them.
func (l *linter) declared() map[string]*Object {
	all := map[string]*Object{}
	for _, o := range l.objects("", "Service") {
		all[l.full(strings.ToLower(o.Name), o.Namespace)] = o
	}
	for _, o := range l.objects(istioGroup, "ServiceEntry") {
		for _, host := range o.Spec.(*networking.ServiceEntry).GetHosts() {
			all[l.host(host, o.Namespace)] = o
		}
	}
	return all
}

// anyBelow says whether a wildcard stands for a service.
func (l *linter) anyBelow(host string) bool {
	suffix, is := strings.CutPrefix(host, "*")
	if !is {
		return false
	}
	for name := range l.state.services.hosts {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// toldOf says whether something was found about a field, what is in it, or what it is directly in, when the manifests were
// loaded.
func (l *linter) toldOf(o *Object, field string) bool {
	around := field[:max(0, strings.LastIndexByte(field, '.'))]
	for _, f := range l.told[o.File+" "+o.String()] {
		if strings.HasPrefix(f, field) || f == around && f != "spec" {
			return true
		}
	}
	return false
}

// maxMeant bounds for how many names another one is suggested: each is compared with all.
const maxMeant = 20

// meant is the name of a service that is like one that is unknown; empty where there is none.
func (l *linter) meant(r reference) string {
	if l.suggested++; l.suggested > maxMeant {
		return ""
	}
	var names []string
	for host := range l.state.services.hosts {
		if short, is := strings.CutSuffix(host, "."+r.o.Namespace+".svc."+l.cfg.Domain); is {
			names = append(names, short)
		}
		if r.o.Group == istioGroup {
			names = append(names, host)
		}
	}
	return nearest.Name(strings.ToLower(r.text), names)
}
