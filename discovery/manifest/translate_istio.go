package manifest

import (
	"cmp"
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// istio is the way from VirtualServices and DestinationRules to policy. Both mean what they mean to the sidecar of a caller
// in the own namespace, as far as [virtualServiceRules] and [destinationRuleRules] let them get here. Where Istio's
// documentation leaves a question open the code of its pilot answers it; comments say which rule is whose.
type istio struct {
	*translation
	rules    *hostRules
	called   map[string]bool      // full names that routes lead to, or are for
	governed map[string]*hostRule // full names and wildcards that have a rule
	names    map[string]int       // of routes, to keep them apart
}

// rootNamespace is where Istio looks for DestinationRules last: the default of its mesh configuration.
const rootNamespace = "istio-system"

func translateIstio(t *translation) {
	x := &istio{translation: t, called: map[string]bool{}, governed: map[string]*hostRule{}, names: map[string]int{}}
	t.istio = x
	x.rules = x.hostRules()
	x.virtualServices()
	x.destinations()
}

// byCreation puts resources into the order in which Istio asks them: the oldest first, and where they are of the same age by
// name and namespace. Those without a creationTimestamp are the youngest: no server has seen them yet.
func byCreation(objects []*Object) []*Object {
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b *Object) int {
		return cmp.Or(compareBool(a.Created.IsZero(), b.Created.IsZero()), a.Created.Compare(b.Created),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
	})
	return sorted
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// exportedTo says whether a resource that is exported to these namespaces is seen in one of them.
func exportedTo(o *Object, to []string, namespace string) bool {
	return len(to) == 0 || slices.ContainsFunc(to, func(n string) bool {
		return n == "*" || n == namespace || n == "." && o.Namespace == namespace
	})
}

// checkExported holds the rules of Istio's validation for exportTo.
func (x *istio) checkExported(o *Object, to []string) {
	x.checkExport(o, "spec.exportTo", to)
	seen := map[string]bool{}
	for i, n := range to {
		if n == "." {
			n = o.Namespace
		}
		if seen[n] {
			x.wrong(o, index("spec.exportTo", i), "is there twice")
		}
		seen[n] = true
	}
	if seen["*"] && len(to) > 1 {
		x.wrong(o, "spec.exportTo", "\"*\" and namespaces cannot be given together")
	}
}

// checkHostName checks a name that may be a wildcard, as Istio's ValidateWildcardDomain does; addresses are taken as well.
func (x *istio) checkHostName(o *Object, field, host string) bool {
	name := host
	if host == "*" {
		return true
	}
	if len(host) > 2 && host[:2] == "*." {
		name = host[2:]
	}
	if name == "" || !isHost(name) && !isAddress(name) {
		x.wrong(o, field, "%q is not the name of a host", host)
		return false
	}
	return true
}

// checkPort holds Istio's rule for a port's number.
func (x *istio) checkPort(o *Object, field string, number uint32) {
	if number < 1 || number > 65535 {
		x.wrong(o, field, "%d is not a port: want 1 to 65535", number)
	}
}

// aliasesOf are the names by which callers may call a host: those of a service that is known, else those that follow from
// the name.
func (x *istio) aliasesOf(host string) []string {
	s := x.state.services.hosts[host]
	if s == nil || len(s.aliases) == 0 {
		return x.aliases(host)
	}
	names := make([]string, 0, len(s.aliases))
	for _, name := range s.aliases {
		if x.state.services.names[name] == s && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// virtualServices are those that concern callers of this process, in the order of their age.
func (x *istio) virtualServices() {
	d := x.delegates()
	g := &hostGroups{istio: x, exact: map[string]*hostGroup{}, wild: map[string]*hostGroup{}}
	for _, o := range byCreation(x.objects(istioGroup, "VirtualService")) {
		spec, is := o.Spec.(*networking.VirtualService)
		if !is || !x.concerns(o, spec) {
			continue
		}
		before := len(x.findings)
		x.checkVirtualService(o, spec)
		if len(spec.GetHosts()) == 0 || x.findings[before:].Err() != nil || !x.exported(o, spec.GetExportTo()) {
			continue
		}
		v := &virtualService{o: o, spec: spec, routes: x.routesOf(o, spec, d)}
		v.scopes = scopesOf(v.routes)
		if len(v.scopes) > 0 {
			g.take(v)
		}
	}
	d.unused(x)
	g.emit()
}
