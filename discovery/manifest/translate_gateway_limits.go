package manifest

import (
	"strconv"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/resilience"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// longest is the longest duration that a policy may have.
const longest = 365 * 24 * time.Hour

// timeouts sets the limit of the whole call. Without retry each call is one request to a backend, so that backendRequest, which
// is never the longer one, is the limit of the call.
func (g *gatewayRoutes) timeouts(o *Object, field string, spec *ruleSpec, route *traffic.Route) {
	if spec.timeouts == nil {
		return
	}
	whole, given := g.duration(o, field+".request", spec.timeouts.Request)
	one, both := g.duration(o, field+".backendRequest", spec.timeouts.BackendRequest)
	switch {
	case given && both && whole != 0 && one > whole:
		g.wrong(o, field+".backendRequest", "%v is longer than request, which is %v", one, whole)
		return
	case max(whole, one) > longest:
		g.unsupported(o, field, "longer than a year", "it is left out")
		return
	}
	route.Timeout = whole
	if given && whole == 0 {
		route.Timeout = -1
	}
	if spec.retry == nil && one > 0 {
		route.Timeout = one
	}
}

// The bounds of the API's definition, and of package resilience.
const (
	minRetryCode = 400
	maxRetryCode = 599
	maxAttempts  = 10
)

// retry sets what is retried: the codes, and what gets no response, since implementations should "retry on connection errors
// (disconnect, reset, timeout, TCP failure) if a retry stanza is configured". That is what Envoy calls reset.
func (g *gatewayRoutes) retry(o *Object, field string, spec *ruleSpec, route *traffic.Route) {
	r := &resilience.Retry{On: []string{"reset"}}
	seen := map[gateway.HTTPRouteRetryStatusCode]bool{}
	for i, code := range spec.retry.Codes {
		at := index(field+".codes", i)
		switch {
		case code < minRetryCode || code > maxRetryCode:
			g.wrong(o, at, "%d: want %d to %d", code, minRetryCode, maxRetryCode)
		case seen[code]:
			g.wrong(o, at, "%d is there twice", code)
		}
		seen[code] = true
		r.On = append(r.On, strconv.Itoa(int(code)))
	}
	if n := spec.retry.Attempts; n != nil {
		switch r.Retries = min(*n, maxAttempts); {
		case *n < 1:
			g.wrong(o, field+".attempts", "%d: want at least 1", *n)
		case *n > maxAttempts:
			g.unsupported(o, field+".attempts", strconv.Itoa(*n)+": at most 10 are supported", "there are 10")
		}
	}
	if spec.retry.Backoff != nil {
		g.unsupported(o, field+".backoff", noBackoff, "it is left out")
	}
	if spec.timeouts != nil {
		if one, given := g.duration(o, field, spec.timeouts.BackendRequest); given {
			if r.PerTry = one; one == 0 {
				r.PerTry = -1
			}
		}
	}
	route.Retry = r
}
