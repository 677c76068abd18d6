package manifest

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
)

// emitRoute makes a route of the policy of one of Istio's, for the hosts of a bundle. Matches between which what replaces
// the path differs become routes of their own, in their order.
func (x *istio) emitRoute(b *bundle, v *virtualService, r *httpRoute) {
	name := r.GetName()
	if name == "" {
		name = strings.TrimPrefix(r.field, "spec.")
		if r.o != v.o { // a delegate's
			name = strings.TrimPrefix(r.o.String(), "VirtualService/") + "/" + name
		}
	}
	base := x.routeOf(v, r)
	base.Hosts = b.patterns
	for _, part := range x.parts(r) {
		to := base
		part.apply(&to, r)
		to.Name = x.name(append([]string{v.o.String()}, b.suffix(name)...)...)
		x.route(r.o, r.field, to)
	}
}

// routeOf is what becomes of requests, without the matches and what depends on them.
func (x *istio) routeOf(v *virtualService, r *httpRoute) traffic.Route {
	to := traffic.Route{Headers: headersOf(r.GetHeaders())}
	switch {
	case r.GetRedirect() != nil:
		to.Redirect = x.redirect(r)
		to.Headers.Request = traffic.HeaderOps{}
	case r.GetDirectResponse() != nil:
		to.Respond = respond(r.GetDirectResponse(), &to.Headers.Response)
		to.Headers.Request = traffic.HeaderOps{}
	default:
		to.To = x.backends(v, r, &to)
		x.timing(&to, r)
		to.Mirrors = x.mirrors(v, r)
	}
	return to
}

// timing is the time limit, the retries and the faults of a route. While faults are on it has neither limit nor retries, as
// Istio documents it.
func (x *istio) timing(to *traffic.Route, r *httpRoute) {
	to.Timeout = -1
	if t := r.GetTimeout(); t != nil {
		to.Timeout = t.AsDuration()
	}
	to.Retry, to.NoRetry = x.retry(r)
	if to.Faults = faults(r.GetFault()); len(to.Faults) == 0 {
		return
	}
	if r.GetTimeout() != nil {
		x.warn(r.o, r.field+".timeout", "has no effect while the route has a fault, as Istio documents it")
	}
	if r.GetRetries() != nil && !to.NoRetry {
		x.warn(r.o, r.field+".retries", "has no effect while the route has a fault, as Istio documents it")
	}
	to.Timeout, to.Retry, to.NoRetry = -1, nil, true
}

// backends are the destinations of a route. One that is there twice gets the sum of its weights.
func (x *istio) backends(v *virtualService, r *httpRoute, to *traffic.Route) (list []traffic.Backend) {
	type key struct {
		service, subset string
		port            uint16
	}
	at := map[key]int{}
	for i, d := range r.GetRoute() {
		field := index(r.field+".route", i)
		b := x.backend(v, r.o, field+".destination", d.GetDestination())
		b.Headers = headersOf(d.GetHeaders())
		x.authorityOf(r, field, d.GetHeaders(), to)
		if len(r.GetRoute()) > 1 {
			b.Weight = uint32(d.GetWeight())
		}
		k := key{b.Service, b.Subset, b.Port}
		j, twice := at[k]
		if !twice {
			at[k] = len(list)
			list = append(list, b)
			continue
		}
		if !sameHeaders(list[j].Headers, b.Headers) {
			x.refuse(r.o, field, "is the destination of %s too, and a second set of headers cannot be given to one destination",
				index("route", j))
			continue
		}
		list[j].Weight += b.Weight
	}
	return list
}

// backend is one destination. As in Istio a port that is not given is the only one of another service, else the caller's.
func (x *istio) backend(v *virtualService, o *Object, field string, d *networking.Destination) traffic.Backend {
	host := x.host(d.GetHost(), o.Namespace)
	x.called[host] = true
	b := traffic.Backend{Service: x.canonical(host), Subset: d.GetSubset(), Port: uint16(d.GetPort().GetNumber())}
	x.checkSubset(o, field+".subset", host, b.Subset)
	own := slices.ContainsFunc(v.spec.GetHosts(), func(h string) bool { return x.host(h, v.o.Namespace) == host })
	if s := x.service(host); b.Port == 0 && !own && s != nil && len(s.ports) == 1 {
		b.Port = s.ports[0].number
	}
	return b
}

// checkSubset finds a subset that no DestinationRule of the host declares.
func (x *istio) checkSubset(o *Object, field, host, subset string) {
	if subset == "" {
		return
	}
	var known []string
	if m := x.rules.find(host); m != nil {
		for _, s := range m.subsets {
			known = append(known, s.GetName())
		}
	}
	if !slices.Contains(known, subset) {
		x.unknown(o, field, "subset of "+host, subset, known)
	}
}

// part is some of the matches of a route, for which what replaces the path is the same.
type part struct {
	matches []traffic.Match
	kind    pathKind
}

// pathKind is what of a path a rewrite replaces.
type pathKind uint8

const (
	pathAlike  pathKind = iota // it makes no difference
	pathPrefix                 // what was matched
	pathWhole                  // all of it
)

// parts are the matches of a route, in runs of one kind.
func (x *istio) parts(r *httpRoute) (parts []part) {
	replaces := r.GetRewrite().GetUri() != "" || r.GetRedirect().GetPrefixRewrite() != ""
	if len(r.matches) == 0 {
		p := part{}
		if replaces { // Istio has Envoy match the prefix "/" where nothing is said of the path
			p = part{matches: []traffic.Match{{Path: traffic.Prefix("/")}}, kind: pathPrefix}
		}
		return []part{p}
	}
	for _, m := range r.matches {
		to, kind := x.match(m.HTTPMatchRequest), pathAlike
		if replaces {
			kind = pathPrefix
			switch to.Path.Op {
			case "":
				to.Path = traffic.Prefix("/")
			case traffic.OpRegex:
				kind = pathWhole
			}
		}
		if n := len(parts); n > 0 && parts[n-1].kind == kind {
			parts[n-1].matches = append(parts[n-1].matches, to)
			continue
		}
		parts = append(parts, part{[]traffic.Match{to}, kind})
	}
	return parts
}

// apply puts the matches and the rewrite for them into a route.
func (p part) apply(to *traffic.Route, r *httpRoute) {
	to.Match = p.matches
	rewrite := r.GetRewrite()
	if uri := rewrite.GetUri(); uri != "" || rewrite.GetUriRegexRewrite() != nil || rewrite.GetAuthority() != "" {
		w := traffic.Rewrite{}
		if to.Rewrite != nil {
			w = *to.Rewrite
		}
		if a := rewrite.GetAuthority(); a != "" {
			w.Authority = a
		}
		if re := rewrite.GetUriRegexRewrite(); re != nil {
			w.Regex, w.Substitution = re.GetMatch(), re.GetRewrite()
		} else if p.kind == pathWhole {
			w.Path = uri
		} else if uri != "" {
			w.Prefix = &uri
		}
		to.Rewrite = &w
	}
}
