package manifest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// gatewayRoutes are the HTTPRoutes and GRPCRoutes that are bound to Services, as GEP-1294 has it for a mesh.
type gatewayRoutes struct {
	*translation
	services map[string]*frontend // by full name
}

// boundRoute is one of them.
type boundRoute struct {
	o     *Object
	grpc  bool
	rules []boundRule
	lists int // in how many lists of routes it is
}

// boundRule is a rule of a route, ready but for its hosts and matches.
type boundRule struct {
	field   string
	name    string
	matches []boundMatch
	route   traffic.Route
}

// boundMatch is one of the conditions of a rule.
type boundMatch struct {
	field string
	is    traffic.Match
	rank  rank
}

// all says whether every request meets it.
func (m *boundMatch) all() bool {
	return m.is.GRPC == nil && m.is.Path.Op == "" && m.is.Method.Op == "" && m.is.Authority.Op == "" &&
		len(m.is.Headers)+len(m.is.Query) == 0
}

// translateGateway translates the routes of the Gateway API. Each of them is checked, whoever it is for.
func translateGateway(t *translation) {
	g := &gatewayRoutes{translation: t, services: map[string]*frontend{}}
	for _, o := range t.objects(gatewayGroup, "HTTPRoute") {
		spec := o.Spec.(*gateway.HTTPRouteSpec)
		if r := g.bind(o, &spec.CommonRouteSpec); r != nil {
			g.httpRules(r, spec.Rules)
		}
	}
	for _, o := range t.objects(gatewayGroup, "GRPCRoute") {
		spec := o.Spec.(*gateway.GRPCRouteSpec)
		if r := g.bind(o, &spec.CommonRouteSpec); r != nil {
			r.grpc = true
			g.grpcRules(r, spec.Rules)
		}
	}
	g.emit()
}

// maxRules and maxMatches are the API's bounds for a route.
const (
	maxRules       = 16
	maxRuleMatches = 64
	maxMatches     = 128
)

// ruleSpec is what rules of both kinds have in common.
type ruleSpec struct {
	name     *gateway.SectionName
	filters  []gateway.HTTPRouteFilter
	backends []gateway.HTTPBackendRef
	timeouts *gateway.HTTPRouteTimeouts
	retry    *gateway.HTTPRouteRetry
	session  *gateway.SessionPersistence
	prefix   bool // it has exactly one match, and that is of a PathPrefix
}

// rule adds a rule to a route.
func (g *gatewayRoutes) rule(r *boundRoute, spec *ruleSpec, matches []boundMatch) {
	field := index("spec.rules", len(r.rules))
	step := fmt.Sprintf("rules[%d]", len(r.rules))
	if spec.name != nil {
		step = string(*spec.name)
		g.checkName(r.o, field+".name", step)
	}
	b := boundRule{field: field, name: r.o.String() + "/" + step, matches: matches}
	if slices.ContainsFunc(r.rules, func(other boundRule) bool { return other.name == b.name }) {
		g.wrong(r.o, field+".name", "%q is the name of another rule of this route", step)
	}
	if spec.session != nil {
		g.unsupported(r.o, field+".sessionPersistence", noSession, "it is left out")
	}
	b.route = g.action(r, field, spec)
	if replacesPrefix(&b.route) && len(b.matches) == 1 && b.matches[0].is.Path.Op == "" {
		b.matches[0].is.Path = traffic.PathPrefix("/")
	}
	r.rules = append(r.rules, b)
}

// checkCount checks the bounds on rules and matches; counts are the matches of each rule.
func (g *gatewayRoutes) checkCount(r *boundRoute, counts []int) {
	g.atMost(r.o, "spec.rules", len(counts), maxRules)
	sum := 0
	for i, n := range counts {
		g.atMost(r.o, index("spec.rules", i)+".matches", n, maxRuleMatches)
		sum += n
	}
	if sum > maxMatches {
		g.wrong(r.o, "spec.rules", "%d matches in all rules together; at most %d", sum, maxMatches)
	}
}

// unsupported finds something right that cannot be honoured: an error, and in lenient mode a warning of what happens instead.
func (g *gatewayRoutes) unsupported(o *Object, field, why, instead string) {
	if g.cfg.Lenient {
		g.warn(o, field, "%s; %s", why, instead)
		return
	}
	g.wrong(o, field, "%s", why)
}

// rank is the precedence of a match, the more of something the earlier; what comes first counts first.
type rank [5]int

func (a rank) compare(b rank) int { return slices.Compare(b[:], a[:]) }

// older puts the older route first, and of two of the same age the one with the lesser "namespace/name". A route that does not
// say when it was created counts as the youngest: no server has seen it yet.
func older(a, b *boundRoute) int {
	if a.o.Created.IsZero() != b.o.Created.IsZero() {
		if a.o.Created.IsZero() {
			return 1
		}
		return -1
	}
	return cmp.Or(a.o.Created.Compare(b.o.Created), cmp.Compare(a.o.Namespace+"/"+a.o.Name, b.o.Namespace+"/"+b.o.Name))
}
