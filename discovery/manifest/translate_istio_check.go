package manifest

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1alpha3"
)

// checkVirtualService holds the rules of Istio's validation for a VirtualService, each route as it is written.
func (x *istio) checkVirtualService(o *Object, spec *networking.VirtualService) {
	if len(spec.GetHosts()) == 0 && len(spec.GetGateways()) > 0 {
		x.wrong(o, "spec.gateways", "a delegate, which is one without hosts, has no gateways")
	}
	names := hostNames{below: map[string]string{}, wild: map[string]string{}}
	for i, host := range spec.GetHosts() {
		at := index("spec.hosts", i)
		if host == "*" {
			x.wrong(o, at, "\"*\" is not allowed for callers of the mesh: name the domain, \"*.example.com\"")
			continue
		}
		if !x.checkHostName(o, at, host) {
			continue
		}
		if other := names.add(host); other != "" {
			x.wrong(o, at, "%q and %q are for the same names", other, host)
		}
	}
	if len(spec.GetHttp()) == 0 {
		x.refuse(o, "spec", "has no http routes")
	}
	for i, r := range spec.GetHttp() {
		x.checkRoute(o, index("spec.http", i), r, len(spec.GetHosts()) == 0)
	}
	x.checkExported(o, spec.GetExportTo())
}

// hostNames finds hosts of which one contains the other.
type hostNames struct {
	below map[string]string // by name, and by each ".suffix": a wildcard of that would contain it
	wild  map[string]string // wildcards, by their ".suffix"
}

// add adds a host, and returns one before it that is for the same names; empty where there is none.
func (n *hostNames) add(host string) (other string) {
	name := strings.TrimPrefix(host, "*")
	other = n.below[name]
	n.below[name] = host
	for i := range len(name) {
		if name[i] == '.' {
			other = cmp.Or(other, n.wild[name[i:]])
			n.below[name[i:]] = host
		}
	}
	if name != host {
		n.wild[name] = host
	}
	return other
}

// checkRoute checks what a route says. What contradicts itself is wrong; what cannot have an effect is a warning where
// Istio takes it.
func (x *istio) checkRoute(o *Object, at string, r *networking.HTTPRoute, delegate bool) {
	x.checkAction(o, at, r, delegate)
	for i, m := range r.GetMatch() {
		x.checkMatch(o, index(at+".match", i), m, delegate || r.GetDelegate() != nil)
	}
	x.checkHeaderChanges(o, at+".headers", r.GetHeaders())
	x.checkAuthority(o, at, r)
	x.checkFault(o, at+".fault", r.GetFault())
	x.checkMirrors(o, at, r)
	x.checkRedirect(o, at+".redirect", r.GetRedirect())
	x.checkResponse(o, at+".directResponse", r.GetDirectResponse())
	x.checkRetries(o, at+".retries", r.GetRetries())
	x.checkRewrite(o, at+".rewrite", r.GetRewrite())
	x.checkRouteDestinations(o, at+".route", r.GetRoute())
	x.checkDuration(o, at+".timeout", r.GetTimeout())
}

// checkAction checks that a route does one thing, and nothing beside it that contradicts it.
func (x *istio) checkAction(o *Object, at string, r *networking.HTTPRoute, delegate bool) {
	var actions []string
	for _, a := range []struct {
		name string
		is   bool
	}{
		{"delegate", r.GetDelegate() != nil}, {"redirect", r.GetRedirect() != nil},
		{"directResponse", r.GetDirectResponse() != nil}, {"route", len(r.GetRoute()) > 0},
	} {
		if a.is {
			actions = append(actions, a.name)
		}
	}
	switch {
	case len(actions) == 0:
		x.wrong(o, at, "one of route, redirect, directResponse and delegate is needed")
		return
	case len(actions) > 1:
		x.wrong(o, at+"."+actions[1], "%s and %s cannot be given together", actions[0], actions[1])
		return
	case delegate && actions[0] == "delegate":
		x.wrong(o, at+".delegate", "a delegate cannot delegate again: Istio knows one level only")
	case actions[0] == "delegate" && r.GetDelegate().GetName() == "":
		x.wrong(o, at+".delegate", "needs a name")
	}
	if actions[0] == "redirect" || actions[0] == "directResponse" {
		x.checkAnswer(o, at, actions[0], r)
	}
}

// checkAnswer checks what stands beside an answer that asks nobody.
func (x *istio) checkAnswer(o *Object, at, action string, r *networking.HTTPRoute) {
	if r.GetRewrite() != nil {
		x.wrong(o, at+".rewrite", "%s and rewrite cannot be given together", action)
	}
	if r.GetFault() != nil {
		x.wrong(o, at+".fault", "%s and fault cannot be given together", action)
	}
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"timeout", r.GetTimeout() != nil}, {"retries", r.GetRetries() != nil}, {"mirror", r.GetMirror() != nil},
		{"mirrors", len(r.GetMirrors()) > 0}, {"headers.request", r.GetHeaders().GetRequest() != nil},
	} {
		if f.is {
			x.warn(o, at+"."+f.name, "has no effect beside %s: nobody is asked", action)
		}
	}
}

// checkRouteDestinations checks where a route leads.
func (x *istio) checkRouteDestinations(o *Object, at string, list []*networking.HTTPRouteDestination) {
	var sum int64
	for i, d := range list {
		item := index(at, i)
		if d.GetDestination() == nil {
			x.wrong(o, item, "a destination is needed")
		} else {
			x.checkDestination(o, item+".destination", d.GetDestination())
		}
		if d.GetWeight() < 0 {
			x.wrong(o, item+".weight", "%d: must not be negative", d.GetWeight())
		}
		sum += int64(d.GetWeight())
		x.checkHeaderChanges(o, item+".headers", d.GetHeaders())
	}
	if len(list) > 1 && sum == 0 {
		x.wrong(o, at, "no destination has a weight")
	} else if sum > math.MaxUint32 { // Envoy's bound
		x.wrong(o, at, "the weights add up to %d: at most %d is allowed", sum, uint32(math.MaxUint32))
	}
}

func (x *istio) checkDestination(o *Object, at string, d *networking.Destination) {
	switch {
	case d.GetHost() == "":
		x.wrong(o, at, "a host is needed")
	case strings.HasPrefix(d.GetHost(), "*"):
		x.wrong(o, at+".host", "%q is not one service", d.GetHost())
	default:
		x.checkHostName(o, at+".host", d.GetHost())
	}
	if s := d.GetSubset(); s != "" && !isLabel(s, 63) {
		x.wrong(o, at+".subset", "%q is not the name of a subset", s)
	}
	if d.GetPort() != nil {
		x.checkPort(o, at+".port", d.GetPort().GetNumber())
	}
}

// checkDuration holds Istio's rule for durations: 1 ms at least, in whole milliseconds.
func (x *istio) checkDuration(o *Object, at string, d *durationpb.Duration) {
	if d == nil {
		return
	}
	switch t := d.AsDuration(); {
	case t < time.Millisecond && strings.HasSuffix(at, ".timeout"):
		x.wrong(o, at, "%v: must be at least 1 ms; without it there is no limit", t)
	case t < time.Millisecond:
		x.wrong(o, at, "%v: must be at least 1 ms", t)
	case t%time.Millisecond != 0:
		x.wrong(o, at, "%v: Istio counts whole milliseconds", t)
	case t > 8760*time.Hour:
		x.wrong(o, at, "%v: more than a year, 8760h", t)
	}
}

// checkPercent holds Istio's rule for shares.
func (x *istio) checkPercent(o *Object, at string, p *networking.Percent) {
	if v := p.GetValue(); p != nil && (v < 0 || v > 100 || v > 0 && v < 0.0001) {
		x.wrong(o, at, "%v: must be 0, or from 0.0001 to 100", v)
	}
}

// isHeaderName says whether a text is a token (RFC 9110, 5.6.2).
func isHeaderName(s string) bool {
	return s != "" && !slices.ContainsFunc([]byte(s), func(c byte) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c))
	})
}
