package manifest

import (
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// condition is one on a header, of either kind of route.
type condition struct {
	kind        *string
	name, value string
}

const maxConditions = 16

// headers adds the conditions on headers, and counts those that count. The Host of a request is no header here.
func (g *gatewayRoutes) headers(o *Object, field string, into *traffic.Match, list []condition) (count int) {
	g.atMost(o, field, len(list), maxConditions)
	seen := map[string]string{}
	for i, h := range list {
		at := index(field, i)
		g.checkHeader(o, at+".name", h.name)
		g.checkText(o, at+".value", h.value, maxHeaderValue)
		if g.again(o, at+".name", seen, h.name) {
			continue
		}
		count++
		v := traffic.Exact(h.value)
		if value(h.kind) == string(gateway.HeaderMatchRegularExpression) {
			v = g.expression(o, at+".value", h.value)
		}
		if strings.EqualFold(h.name, "host") {
			into.Authority = v
			continue
		}
		into.Headers = append(into.Headers, traffic.Field{Name: h.name, Value: v})
	}
	return count
}

// again says whether a header was named before: of two with the same name the first counts, and two that are written alike are
// a mistake.
func (g *gatewayRoutes) again(o *Object, field string, seen map[string]string, name string) bool {
	lower := strings.ToLower(name)
	first, twice := seen[lower]
	switch {
	case !twice:
		seen[lower] = name
	case first == name:
		g.wrong(o, field, "%q is there twice", name)
	default:
		g.warn(o, field, "the same header as %q, of which the first counts; this has no effect", first)
	}
	return twice
}

// query adds the conditions on parameters, and counts them.
func (g *gatewayRoutes) query(o *Object, field string, into *traffic.Match, list []gateway.HTTPQueryParamMatch) int {
	g.atMost(o, field, len(list), maxConditions)
	seen := map[gateway.HTTPHeaderName]bool{}
	for i := range list {
		p, at := &list[i], index(field, i)
		g.checkHeader(o, at+".name", string(p.Name))
		g.checkText(o, at+".value", p.Value, maxParameterValue)
		if seen[p.Name] {
			g.wrong(o, at+".name", "%q is there twice", p.Name)
			continue
		}
		seen[p.Name] = true
		v := traffic.Exact(p.Value)
		if value(p.Type) == gateway.QueryParamMatchRegularExpression {
			v = g.expression(o, at+".value", p.Value)
		}
		into.Query = append(into.Query, traffic.Field{Name: string(p.Name), Value: v})
	}
	return len(into.Query)
}
