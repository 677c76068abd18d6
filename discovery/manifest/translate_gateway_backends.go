package manifest

import (
	"fmt"
	"reflect"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

const (
	maxBackends = 16
	maxWeight   = 1_000_000
)

// shares are the backends of a rule while they are gathered.
type shares struct {
	to   []traffic.Backend
	at   map[string]int // of a service and port
	lost uint32         // the weight of those that are not valid
	sum  uint32
}

// backends are the destinations of a rule. The share of those that are not valid is answered with an error, as is everything
// where no backend has a weight. Filters of the only backend that has one join those of the rule.
func (g *gatewayRoutes) backends(r *boundRoute, field string, spec *ruleSpec, e *effects) []traffic.Backend {
	g.atMost(r.o, field+".backendRefs", len(spec.backends), maxBackends)
	s := &shares{at: map[string]int{}}
	weighty := 0
	for i := range spec.backends {
		if value(weightOf(&spec.backends[i])) > 0 {
			weighty++
		}
	}
	for i := range spec.backends {
		g.backend(r, index(field+".backendRefs", i), &spec.backends[i], spec.prefix, weighty == 1, s, e)
	}
	if s.lost > 0 || s.sum == 0 {
		s.to = append(s.to, traffic.Backend{Respond: r.failure(), Weight: s.lost})
	}
	if s.sum == 0 {
		s.to = s.to[len(s.to)-1:]
	}
	if len(s.to) == 1 {
		s.to[0].Weight = 0
	}
	return s.to
}

// weightOf is the weight of a backend, 1 where it gives none.
func weightOf(b *gateway.HTTPBackendRef) *int32 {
	if b.Weight == nil {
		one := int32(1)
		return &one
	}
	return b.Weight
}

func (g *gatewayRoutes) backend(r *boundRoute, field string, b *gateway.HTTPBackendRef, prefix, alone bool, s *shares, e *effects) {
	weight := *weightOf(b)
	if weight < 0 || weight > maxWeight {
		g.wrong(r.o, field+".weight", "%d: want 0 to %d", weight, maxWeight)
		return
	}
	service, port, valid := g.reference(r, field, &b.BackendObjectReference, "its share of the requests is answered by "+r.failureName())
	own := g.filters(r, field+".filters", b.Filters, prefix)
	if !valid || own.fails {
		s.lost += uint32(weight)
		return
	}
	g.lift(r.o, field+".filters", &own, alone && weight > 0, e)
	to := traffic.Backend{Service: service, Port: port, Weight: uint32(weight), Headers: own.headers}
	key := fmt.Sprintf("%s:%d", service, port)
	i, twice := s.at[key]
	switch {
	case !twice:
		s.at[key] = len(s.to)
		s.to = append(s.to, to)
	case weight == 0:
		return
	case s.to[i].Weight == 0:
		s.to[i] = to
	case !reflect.DeepEqual(s.to[i].Headers, to.Headers):
		g.unsupported(r.o, field, "goes where another backendRef does, with other filters", "its share of the requests is answered by "+r.failureName())
		s.lost += uint32(weight)
		return
	default:
		s.to[i].Weight += to.Weight
	}
	s.sum += uint32(weight)
}

// lift makes filters of a backend such of its rule, which have the same effect where no other backend gets requests.
func (g *gatewayRoutes) lift(o *Object, field string, own *effects, alone bool, e *effects) {
	if own.rewrite == nil && own.redirect == nil && len(own.mirrors) == 0 {
		return
	}
	changes := own.rewrite != nil || own.redirect != nil
	switch {
	case !alone:
		g.unsupported(o, field, "URLRewrite, RequestRedirect and RequestMirror are supported for all backends of a rule, or where no other backendRef has a weight", "they are left out")
	case changes && (e.rewrite != nil || e.redirect != nil):
		g.unsupported(o, field, "the rule has a URLRewrite or RequestRedirect itself", "it is left out")
	case own.redirect != nil && !reflect.DeepEqual(own.headers, traffic.Headers{}) && !reflect.DeepEqual(e.headers, traffic.Headers{}):
		g.unsupported(o, field, "the rule changes headers itself, and this redirects", "it is left out")
	default:
		e.mirrors = append(e.mirrors, own.mirrors...)
		if own.rewrite != nil {
			e.rewrite = own.rewrite
		}
		if own.redirect != nil {
			e.redirect = own.redirect
			if reflect.DeepEqual(e.headers, traffic.Headers{}) {
				e.headers = own.headers
			}
		}
	}
}
