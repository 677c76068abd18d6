package manifest

import (
	"fmt"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// reference is the Service that a backendRef names; valid is false where there is none, and instead says what happens then.
// It may be of any namespace: routes of a mesh need no ReferenceGrant (GEP-1294), since whoever calls could call it anyway.
func (g *gatewayRoutes) reference(r *boundRoute, field string, b *gateway.BackendObjectReference, instead string) (name string, port uint16, valid bool) {
	g.checkReference(r.o, field, b.Group, b.Kind, b.Name, b.Namespace, b.Port)
	group, kind := groupOf(b.Group, ""), kindName(b.Kind, "Service")
	switch {
	case group == "core" && kind == "Service":
		g.wrong(r.o, field+".group", `there is no Service in the group "core"; want ""`)
		return "", 0, false
	case group != "" || kind != "Service":
		g.unsupported(r.o, field, fmt.Sprintf("%q cannot be a backend here; only a Service can", joinVersion(group, kind)), instead)
		return "", 0, false
	case b.Port == nil:
		g.wrong(r.o, field, "no port, which a Service needs")
		return "", 0, false
	}
	port = uint16(*b.Port)
	host := g.full(string(b.Name), namespaceOf(b.Namespace, r.o))
	s := g.service(host)
	switch {
	case s == nil:
	case externalName(s):
		g.unsupported(r.o, field, "a Service of type ExternalName cannot be a backend (CVE-2021-25740)", instead)
		return "", 0, false
	case !s.anyPort && s.port(port) == nil:
		g.warn(r.o, field+".port", "%v has no port %d; %s", s.origin, port, instead)
		return "", 0, false
	}
	return g.canonical(host), port, true
}

// mirror adds who gets copies of requests. One that is not valid is left out, as the API reference has it.
func (g *gatewayRoutes) mirror(r *boundRoute, field string, f *gateway.HTTPRequestMirrorFilter, e *effects) {
	percent := 100.0
	switch {
	case f.Percent != nil && f.Fraction != nil:
		g.wrong(r.o, field, "only one of percent and fraction can be given")
	case f.Percent != nil:
		if percent = float64(*f.Percent); *f.Percent < 0 || *f.Percent > 100 {
			g.wrong(r.o, field+".percent", "%d: want 0 to 100", *f.Percent)
		}
	case f.Fraction != nil:
		percent = g.fraction(r.o, field+".fraction", f.Fraction)
	}
	service, port, valid := g.reference(r, field+".backendRef", &f.BackendRef, "no copies are sent there")
	if valid {
		e.mirrors = append(e.mirrors, traffic.Mirror{Service: service, Port: port, Percent: percent})
	}
}

// fraction is a fraction in percent.
func (g *gatewayRoutes) fraction(o *Object, field string, f *gateway.Fraction) float64 {
	numerator, denominator := f.Numerator, int32(100)
	if f.Denominator != nil {
		denominator = *f.Denominator
	}
	why := ""
	switch {
	case denominator < 1:
		why = fmt.Sprintf("a denominator of %d: want at least 1", denominator)
	case numerator < 0 || numerator > denominator:
		why = fmt.Sprintf("%d of %d: want 0 to all of it", numerator, denominator)
	}
	if why != "" {
		g.wrong(o, field, "%s", why)
		return 0
	}
	return 100 * float64(numerator) / float64(denominator)
}
