package manifest

import (
	"strconv"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

const maxFilters = 16

// filters gathers what filters do. prefix says whether the rule has a single match, of a PathPrefix.
func (g *gatewayRoutes) filters(r *boundRoute, field string, list []gateway.HTTPRouteFilter, prefix bool) (e effects) {
	g.atMost(r.o, field, len(list), maxFilters)
	seen := map[gateway.HTTPRouteFilterType]bool{}
	for i := range list {
		f, at := &list[i], index(field, i)
		if !g.checkUnion(r.o, at, f) {
			continue
		}
		many := f.Type == gateway.HTTPRouteFilterRequestMirror || f.Type == gateway.HTTPRouteFilterExtensionRef ||
			f.Type == gateway.HTTPRouteFilterExternalAuth
		if seen[f.Type] && !many {
			g.wrong(r.o, at, "there is another filter of the type %s", f.Type)
		}
		seen[f.Type] = true
		g.filter(r, at, f, prefix, &e)
	}
	if seen[gateway.HTTPRouteFilterRequestRedirect] && seen[gateway.HTTPRouteFilterURLRewrite] {
		g.wrong(r.o, field, "RequestRedirect and URLRewrite cannot be used together")
	}
	return e
}

// checkUnion checks that the field of a filter's type is there, and no other.
func (g *gatewayRoutes) checkUnion(o *Object, field string, f *gateway.HTTPRouteFilter) bool {
	if f.Type == "" {
		g.wrong(o, field, "no type")
		return false
	}
	before := len(g.findings)
	for _, x := range []struct {
		of   gateway.HTTPRouteFilterType
		name string
		is   bool
	}{
		{gateway.HTTPRouteFilterRequestHeaderModifier, "requestHeaderModifier", f.RequestHeaderModifier != nil},
		{gateway.HTTPRouteFilterResponseHeaderModifier, "responseHeaderModifier", f.ResponseHeaderModifier != nil},
		{gateway.HTTPRouteFilterRequestMirror, "requestMirror", f.RequestMirror != nil},
		{gateway.HTTPRouteFilterRequestRedirect, "requestRedirect", f.RequestRedirect != nil},
		{gateway.HTTPRouteFilterURLRewrite, "urlRewrite", f.URLRewrite != nil},
		{gateway.HTTPRouteFilterCORS, "cors", f.CORS != nil},
		{gateway.HTTPRouteFilterExternalAuth, "externalAuth", f.ExternalAuth != nil},
		{gateway.HTTPRouteFilterExtensionRef, "extensionRef", f.ExtensionRef != nil},
	} {
		switch {
		case x.is && x.of != f.Type:
			g.wrong(o, field+"."+x.name, "is for filters of the type %s, and this is one of %s", x.of, f.Type)
		case !x.is && x.of == f.Type:
			g.wrong(o, field, "a filter of the type %s needs %s", x.of, x.name)
		}
	}
	return len(g.findings) == before
}

func (g *gatewayRoutes) filter(r *boundRoute, field string, f *gateway.HTTPRouteFilter, prefix bool, e *effects) {
	switch f.Type {
	case gateway.HTTPRouteFilterRequestHeaderModifier:
		field += ".requestHeaderModifier"
		e.headers.Request = g.headerOps(r.o, field, f.RequestHeaderModifier)
		g.vet(r.o, field, traffic.Route{Headers: traffic.Headers{Request: e.headers.Request}})
	case gateway.HTTPRouteFilterResponseHeaderModifier:
		field += ".responseHeaderModifier"
		e.headers.Response = g.headerOps(r.o, field, f.ResponseHeaderModifier)
		g.vet(r.o, field, traffic.Route{Headers: traffic.Headers{Response: e.headers.Response}})
	case gateway.HTTPRouteFilterRequestMirror:
		g.mirror(r, field+".requestMirror", f.RequestMirror, e)
	case gateway.HTTPRouteFilterRequestRedirect:
		e.redirect = g.redirect(r.o, field+".requestRedirect", f.RequestRedirect, prefix)
	case gateway.HTTPRouteFilterURLRewrite:
		e.rewrite = g.rewrite(r.o, field+".urlRewrite", f.URLRewrite, prefix)
	case gateway.HTTPRouteFilterCORS:
		g.unsupported(r.o, field+".cors", noCORS, "it is left out")
	case gateway.HTTPRouteFilterExternalAuth:
		g.fail(r, field+".externalAuth", noAuth, e)
	case gateway.HTTPRouteFilterExtensionRef:
		g.fail(r, field+".extensionRef", noExtension, e)
	}
}

// fail leaves a filter out that must not be skipped: "requests that would have been processed by that filter MUST receive a
// HTTP error response".
func (g *gatewayRoutes) fail(r *boundRoute, field, why string, e *effects) {
	g.unsupported(r.o, field, why, "the requests are answered by "+r.failureName())
	e.fails = true
}

// headerOps are changes of headers. "Only one action for a given header name is permitted"; of those in one list with names
// that differ by case the first counts.
func (g *gatewayRoutes) headerOps(o *Object, field string, f *gateway.HTTPHeaderFilter) (ops traffic.HeaderOps) {
	taken := map[string]string{}
	ops.Set = g.headerList(o, field, "set", f.Set, taken)
	ops.Add = g.headerList(o, field, "add", f.Add, taken)
	g.atMost(o, field+".remove", len(f.Remove), maxConditions)
	seen := map[string]string{}
	for i, name := range f.Remove {
		at := index(field+".remove", i)
		if g.again(o, at, seen, name) || g.taken(o, at, "remove", taken, name) || g.isHost(o, at, name) {
			continue
		}
		ops.Remove = append(ops.Remove, name)
	}
	return ops
}

func (g *gatewayRoutes) headerList(o *Object, field, action string, list []gateway.HTTPHeader, taken map[string]string) map[string]string {
	field += "." + action
	g.atMost(o, field, len(list), maxConditions)
	var out map[string]string
	seen := map[string]string{}
	for i, h := range list {
		at, name := index(field, i), string(h.Name)
		g.checkHeader(o, at+".name", name)
		g.checkText(o, at+".value", h.Value, maxHeaderValue)
		if g.again(o, at+".name", seen, name) || g.taken(o, at+".name", action, taken, name) || g.isHost(o, at+".name", name) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = h.Value
	}
	return out
}

// taken says whether another action is for a header, too, which is a mistake.
func (g *gatewayRoutes) taken(o *Object, field, action string, taken map[string]string, name string) bool {
	lower := strings.ToLower(name)
	if other, is := taken[lower]; is && other != action {
		g.wrong(o, field, "%s is in %s, too; only one action for a header is permitted", strconv.Quote(name), other)
		return true
	}
	taken[lower] = action
	return false
}

// isHost says whether a header is the Host, which is no header here.
func (g *gatewayRoutes) isHost(o *Object, field, name string) bool {
	is := strings.EqualFold(name, "host")
	if is {
		g.unsupported(o, field, "the Host is changed by the hostname of a URLRewrite", "it is left out")
	}
	return is
}
