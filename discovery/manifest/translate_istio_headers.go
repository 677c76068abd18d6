package manifest

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
)

// headersOf are changes of headers. The authority is none to the policy: see authorityOf.
func headersOf(h *networking.Headers) traffic.Headers {
	return traffic.Headers{Request: headerOps(h.GetRequest()), Response: headerOps(h.GetResponse())}
}

func headerOps(h *networking.Headers_HeaderOperations) traffic.HeaderOps {
	return traffic.HeaderOps{Set: headerMap(h.GetSet()), Add: headerMap(h.GetAdd()), Remove: h.GetRemove()}
}

func headerMap(from map[string]string) map[string]string {
	var to map[string]string
	for name, value := range from {
		if isAuthority(name) {
			continue
		}
		if to == nil {
			to = make(map[string]string, len(from))
		}
		to[name] = strings.ReplaceAll(value, "%%", "%") // as Envoy writes a single one
	}
	return to
}

func isAuthority(name string) bool {
	return strings.EqualFold(name, "host") || strings.EqualFold(name, ":authority")
}

// authority is the one that changes of headers set. Of two it is the one that is set and not the one that is added.
func authority(h *networking.Headers) string {
	for _, m := range []map[string]string{h.GetRequest().GetSet(), h.GetRequest().GetAdd()} {
		for _, name := range sortedKeys(m) {
			if isAuthority(name) {
				return m[name]
			}
		}
	}
	return ""
}

// authorityOf makes a rewrite of the authority of headers that set it: of the route's, else of its only destination's.
func (x *istio) authorityOf(r *httpRoute, field string, h *networking.Headers, to *traffic.Route) {
	a := authority(r.GetHeaders())
	if own := authority(h); a == "" && own != "" && r.GetRewrite().GetAuthority() == "" {
		if a = own; len(r.GetRoute()) > 1 {
			x.refuse(r.o, field+".headers.request", "the authority is the same for all destinations of a route: set it in the route")
			return
		}
	}
	if a != "" {
		to.Rewrite = &traffic.Rewrite{Authority: a}
	}
}

func sameHeaders(a, b traffic.Headers) bool {
	return sameOps(a.Request, b.Request) && sameOps(a.Response, b.Response)
}

func sameOps(a, b traffic.HeaderOps) bool {
	return maps.Equal(a.Set, b.Set) && maps.Equal(a.Add, b.Add) && slices.Equal(a.Remove, b.Remove)
}

// checkAuthority holds Istio's rule that a route sets the authority in one place.
func (x *istio) checkAuthority(o *Object, at string, r *networking.HTTPRoute) {
	places := 0
	if r.GetRewrite().GetAuthority() != "" {
		places++
	}
	for _, m := range []map[string]string{r.GetHeaders().GetRequest().GetSet(), r.GetHeaders().GetRequest().GetAdd()} {
		for name := range m {
			if isAuthority(name) {
				places++
			}
		}
	}
	if places > 1 {
		x.wrong(o, at, "the authority is set in more than one place")
	}
}

// checkHeaderChanges holds Istio's rules for changes of headers, and finds what Envoy alone could fill in.
func (x *istio) checkHeaderChanges(o *Object, at string, h *networking.Headers) {
	x.checkHeaderOps(o, at+".request", h.GetRequest(), true)
	x.checkHeaderOps(o, at+".response", h.GetResponse(), false)
}

func (x *istio) checkHeaderOps(o *Object, at string, h *networking.Headers_HeaderOperations, request bool) {
	for _, m := range []struct {
		name   string
		values map[string]string
	}{{"set", h.GetSet()}, {"add", h.GetAdd()}} {
		for _, name := range sortedKeys(m.values) {
			key := entry(at+"."+m.name, name)
			if !request || !isAuthority(name) {
				x.checkChangedHeader(o, key, name)
			}
			x.checkHeaderValue(o, key, m.values[name])
		}
	}
	for i, name := range h.GetRemove() {
		x.checkChangedHeader(o, index(at+".remove", i), name)
	}
}

func (x *istio) checkChangedHeader(o *Object, at, name string) {
	switch {
	case name == "":
		x.wrong(o, at, "the name of a header must not be empty")
	case name[0] == ':' || strings.EqualFold(name, "host"):
		x.wrong(o, at, "%q cannot be changed here", name)
	case !isHeaderName(name):
		x.wrong(o, at, "%q is not the name of a header", name)
	}
}

// checkHeaderValue refuses what Envoy replaces by something of its own: "%REQ(x)%".
func (x *istio) checkHeaderValue(o *Object, at, value string) {
	if strings.Contains(strings.ReplaceAll(value, "%%", ""), "%") {
		x.refuse(o, at, "%q: variables of Envoy are not known; a single %% is written %%%%", value)
	}
}
