package manifest

import (
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// httpRules translates the rules of an HTTPRoute. Without any there is one for every request, which goes nowhere: that is what
// the API takes for granted.
func (g *gatewayRoutes) httpRules(r *boundRoute, rules []gateway.HTTPRouteRule) {
	if len(rules) == 0 {
		rules = make([]gateway.HTTPRouteRule, 1)
	}
	counts := make([]int, len(rules))
	for i := range rules {
		rule, field := &rules[i], index("spec.rules", i)
		list := rule.Matches
		if len(list) == 0 {
			list = make([]gateway.HTTPRouteMatch, 1)
		}
		counts[i] = len(list)
		matches := make([]boundMatch, len(list))
		for j := range list {
			matches[j] = g.httpMatch(r.o, index(field+".matches", j), &list[j])
			if len(rule.Matches) == 0 {
				matches[j].field = field
			}
		}
		g.rule(r, &ruleSpec{
			name: rule.Name, filters: rule.Filters, backends: rule.BackendRefs, timeouts: rule.Timeouts, retry: rule.Retry,
			session: rule.SessionPersistence, prefix: len(list) == 1 && pathType(list[0].Path) == gateway.PathMatchPathPrefix,
		}, matches)
	}
	g.checkCount(r, counts)
}

// httpMatch translates a match. Its rank is what the API reference says of HTTPRouteRule.matches; of regular expressions,
// whose place is left to implementations, they stand after prefixes other than "/", the longer before the shorter, as with
// Istio.
func (g *gatewayRoutes) httpMatch(o *Object, field string, m *gateway.HTTPRouteMatch) boundMatch {
	b := boundMatch{field: field}
	b.is.Path, b.rank[0], b.rank[1] = g.path(o, field+".path", m.Path)
	if m.Method != nil {
		b.is.Method, b.rank[2] = traffic.Exact(string(*m.Method)), 1
	}
	headers := make([]condition, len(m.Headers))
	for i, h := range m.Headers {
		headers[i] = condition{(*string)(h.Type), string(h.Name), h.Value}
	}
	b.rank[3] = g.headers(o, field+".headers", &b.is, headers)
	b.rank[4] = g.query(o, field+".queryParams", &b.is, m.QueryParams)
	return b
}

func pathType(p *gateway.HTTPPathMatch) gateway.PathMatchType {
	if p == nil || p.Type == nil {
		return gateway.PathMatchPathPrefix
	}
	return *p.Type
}

// path is the condition on the path, and its class and length for the rank.
func (g *gatewayRoutes) path(o *Object, field string, p *gateway.HTTPPathMatch) (v traffic.Value, class, length int) {
	text := "/"
	if p != nil && p.Value != nil {
		text = *p.Value
	}
	if len(text) > maxPath {
		g.wrong(o, field+".value", "%d characters; at most %d", len(text), maxPath)
		return v, 0, 0
	}
	switch pathType(p) {
	case gateway.PathMatchExact:
		g.checkPath(o, field+".value", text)
		return traffic.Exact(text), 3, 0
	case gateway.PathMatchRegularExpression:
		return g.expression(o, field+".value", text), 1, len(text)
	}
	g.checkPath(o, field+".value", text)
	if text = strings.TrimSuffix(text, "/"); text == "" {
		return v, 0, 0
	}
	return traffic.PathPrefix(text), 2, len(text)
}

// checkPath checks a path as the rules of HTTPPathMatch do.
func (g *gatewayRoutes) checkPath(o *Object, field, path string) {
	if !strings.HasPrefix(path, "/") {
		g.wrong(o, field, "%.64q does not begin with \"/\"", path)
		return
	}
	for _, not := range []string{"//", "/./", "/../", "%2f", "%2F", "#"} {
		if strings.Contains(path, not) {
			g.wrong(o, field, "%.64q has %q in it", path, not)
			return
		}
	}
	for _, not := range []string{"/..", "/."} {
		if strings.HasSuffix(path, not) {
			g.wrong(o, field, "%.64q ends in %q", path, not)
			return
		}
	}
	if !pathPattern.MatchString(path) {
		g.wrong(o, field, "%.64q: a path is escaped, and has no query", path)
	}
}

// expression is a condition by a regular expression.
func (g *gatewayRoutes) expression(o *Object, field, text string) traffic.Value {
	v := traffic.Regex(text)
	g.vet(o, field, traffic.Route{Match: []traffic.Match{{Path: v}}})
	return v
}
