package manifest

import (
	"regexp"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// grpcRules translates the rules of a GRPCRoute.
func (g *gatewayRoutes) grpcRules(r *boundRoute, rules []gateway.GRPCRouteRule) {
	counts := make([]int, len(rules))
	for i := range rules {
		rule, field := &rules[i], index("spec.rules", i)
		list := rule.Matches
		if counts[i] = len(list); len(list) == 0 {
			list = make([]gateway.GRPCRouteMatch, 1)
		}
		matches := make([]boundMatch, len(list))
		for j := range list {
			matches[j] = g.grpcMatch(r.o, index(field+".matches", j), &list[j])
			if len(rule.Matches) == 0 {
				matches[j].field = field
			}
		}
		g.rule(r, &ruleSpec{
			name: rule.Name, filters: grpcFilters(rule.Filters), backends: grpcBackends(rule.BackendRefs),
			session: rule.SessionPersistence,
		}, matches)
	}
	g.checkCount(r, counts)
}

// grpcFilters are the filters as those of an HTTPRoute, which have them all.
func grpcFilters(list []gateway.GRPCRouteFilter) []gateway.HTTPRouteFilter {
	out := make([]gateway.HTTPRouteFilter, len(list))
	for i, f := range list {
		out[i] = gateway.HTTPRouteFilter{
			Type: gateway.HTTPRouteFilterType(f.Type), RequestHeaderModifier: f.RequestHeaderModifier,
			ResponseHeaderModifier: f.ResponseHeaderModifier, RequestMirror: f.RequestMirror, ExtensionRef: f.ExtensionRef,
		}
	}
	return out
}

func grpcBackends(list []gateway.GRPCBackendRef) []gateway.HTTPBackendRef {
	out := make([]gateway.HTTPBackendRef, len(list))
	for i, b := range list {
		out[i] = gateway.HTTPBackendRef{BackendRef: b.BackendRef, Filters: grpcFilters(b.Filters)}
	}
	return out
}

// grpcMatch translates a match. Its rank is what the API reference says of GRPCRouteRule.matches; regular expressions, whose
// place is left to implementations, count as no characters, and go before what says nothing of the method.
func (g *gatewayRoutes) grpcMatch(o *Object, field string, m *gateway.GRPCRouteMatch) boundMatch {
	b := boundMatch{field: field}
	b.is.GRPC = &traffic.GRPCMatch{}
	if m.Method != nil {
		g.grpcMethod(o, field+".method", &b, m.Method)
	}
	headers := make([]condition, len(m.Headers))
	for i, h := range m.Headers {
		headers[i] = condition{(*string)(h.Type), string(h.Name), h.Value}
	}
	b.rank[3] = g.headers(o, field+".headers", &b.is, headers)
	return b
}

func (g *gatewayRoutes) grpcMethod(o *Object, field string, b *boundMatch, m *gateway.GRPCMethodMatch) {
	if m.Service == nil && m.Method == nil {
		g.wrong(o, field, "neither service nor method")
	}
	regex := value(m.Type) == gateway.GRPCMethodMatchRegularExpression
	for i, part := range []struct {
		name string
		text *string
		want *regexp.Regexp
		into *traffic.Value
	}{
		{"service", m.Service, grpcServiceText, &b.is.GRPC.Service}, {"method", m.Method, grpcMethodText, &b.is.GRPC.Method},
	} {
		at, text := field+"."+part.name, value(part.text)
		switch {
		case len(text) > maxPath:
			g.wrong(o, at, "%d characters; at most %d", len(text), maxPath)
		case part.text == nil || regex && text == "": // any
		case regex:
			*part.into = g.expression(o, at, text)
			b.rank[2]++
		case !part.want.MatchString(text):
			g.wrong(o, at, "%.64q cannot be the name of a %s", text, part.name)
		default:
			*part.into = traffic.Exact(text)
			b.rank[i] = len(text)
		}
	}
}
