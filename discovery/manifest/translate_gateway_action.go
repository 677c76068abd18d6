package manifest

import (
	"fmt"

	"github.com/intramesh/intramesh/client/traffic"
)

// effects are what filters do.
type effects struct {
	headers  traffic.Headers
	rewrite  *traffic.Rewrite
	redirect *traffic.Redirect
	mirrors  []traffic.Mirror
	// fails has requests answered with an error: a filter is left out that must not be skipped.
	fails bool
}

// action is what becomes of the requests that a rule matches.
func (g *gatewayRoutes) action(r *boundRoute, field string, spec *ruleSpec) traffic.Route {
	e := g.filters(r, field+".filters", spec.filters, spec.prefix)
	if e.redirect != nil && len(spec.backends) > 0 {
		g.wrong(r.o, field+".backendRefs", "a rule that redirects has no backendRefs")
	}
	to := g.backends(r, field, spec, &e)
	route := traffic.Route{Headers: e.headers}
	g.limits(r.o, field, spec, &route)
	switch {
	case e.fails:
		return traffic.Route{To: []traffic.Backend{{Respond: r.failure()}}}
	case e.redirect != nil:
		g.redirected(r.o, field, &e, &route)
		return route
	case len(spec.backends) == 0:
		g.warn(r.o, field, "no backendRefs: every request is answered by %s", r.failureName())
	}
	route.To, route.Rewrite, route.Mirrors = to, e.rewrite, e.mirrors
	return route
}

// redirected has a rule redirect. What is for who is asked has no effect then.
func (g *gatewayRoutes) redirected(o *Object, field string, e *effects, route *traffic.Route) {
	if len(e.mirrors) > 0 {
		g.unsupported(o, field+".filters", "requests that are redirected cannot be mirrored", "they are not mirrored")
	}
	if h := &e.headers.Request; len(h.Set)+len(h.Add)+len(h.Remove) > 0 {
		g.warn(o, field+".filters", "requestHeaderModifier has no effect on requests that are redirected")
	}
	if route.Timeout != 0 || route.Retry != nil {
		g.warn(o, field, "timeouts and retry have no effect on requests that are redirected")
	}
	*route = traffic.Route{Redirect: e.redirect, Headers: traffic.Headers{Response: e.headers.Response}}
}

// replacesPrefix says whether a route replaces the prefix that its match names.
func replacesPrefix(r *traffic.Route) bool {
	return r.Rewrite != nil && r.Rewrite.Prefix != nil || r.Redirect != nil && r.Redirect.Prefix != nil
}

// failure is what answers where there is no valid backend: 500, and UNAVAILABLE where a GRPCRoute says so.
func (r *boundRoute) failure() *traffic.Response {
	status := 500
	if r.grpc {
		status = 503
	}
	return &traffic.Response{Status: status, Body: fmt.Sprintf("%v: no valid backend", r.o)}
}

func (r *boundRoute) failureName() string {
	if r.grpc {
		return "UNAVAILABLE"
	}
	return "500"
}

// limits sets timeouts and retries.
func (g *gatewayRoutes) limits(o *Object, field string, spec *ruleSpec, route *traffic.Route) {
	g.timeouts(o, field+".timeouts", spec, route)
	if spec.retry != nil {
		g.retry(o, field+".retry", spec, route)
	}
}
