package manifest

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
)

// The naive reader does what the API reference and GEP-1294 say, sentence by sentence, on the resources themselves. It shares no
// code with the translation.

// naiveCall is a request, and whom it is sent to.
type naiveCall struct {
	service string // "name/namespace"
	port    int32  // 0: none was named
	q       traffic.Request
	header  naiveHeader
}

type naiveHeader map[string]string // names in lower case

func (h naiveHeader) Lookup(lower, _ string) (string, bool) {
	v, ok := h[lower]
	return v, ok
}

// naiveAnswer says which rule of which route decides: a nil route with a rule of 404 is no match, of 0 that no route applies.
type naiveAnswer struct {
	route *Object
	rule  int
}

// naiveRead decides a request that a process of the namespace own sends.
func naiveRead(objects []*Object, ports map[string][]int32, own string, c *naiveCall) naiveAnswer {
	port := c.port
	if known := ports[c.service]; port == 0 && len(known) > 0 {
		port = known[0] // the tests' Services have their usual port first
	} else if port == 0 && c.q.Scheme == "http" {
		port = 80
	}
	_, namespace, _ := strings.Cut(c.service, "/")
	var consumer, producer []*Object
	for _, o := range objects {
		switch {
		case !naiveBound(o, c.service, port):
		case o.Namespace == namespace:
			producer = append(producer, o)
		case o.Namespace == own:
			consumer = append(consumer, o)
		}
	}
	routes := producer
	if len(consumer) > 0 {
		routes = consumer
	}
	if kind := naiveOfKind(routes, "GRPCRoute"); len(kind) > 0 {
		routes = kind
	}
	if len(routes) == 0 {
		return naiveAnswer{}
	}
	var best *naiveCandidate
	for _, o := range routes {
		for _, n := range naiveMatches(o, c) {
			if best == nil || n.before(best) {
				best = n
			}
		}
	}
	if best == nil {
		return naiveAnswer{rule: 404}
	}
	return naiveAnswer{best.o, best.rule}
}

func naiveOfKind(routes []*Object, kind string) (list []*Object) {
	for _, o := range routes {
		if o.Kind == kind {
			list = append(list, o)
		}
	}
	return list
}

func naiveBound(o *Object, service string, port int32) bool {
	parents := map[string]func() []gateway.ParentReference{
		"HTTPRoute": func() []gateway.ParentReference { return o.Spec.(*gateway.HTTPRouteSpec).ParentRefs },
		"GRPCRoute": func() []gateway.ParentReference { return o.Spec.(*gateway.GRPCRouteSpec).ParentRefs },
	}[o.Kind]()
	for _, p := range parents {
		namespace := o.Namespace
		if p.Namespace != nil {
			namespace = string(*p.Namespace)
		}
		if string(p.Name)+"/"+namespace == service && (p.Port == nil || *p.Port == port) {
			return true
		}
	}
	return false
}

// naiveCandidate is a match that holds for the request, with all by which the API ranks it.
type naiveCandidate struct {
	o                                 *Object
	rule, match                       int
	exact                             bool
	prefix, regex                     int // characters
	method                            bool
	headers, params                   int
	service, grpcMethod, grpcPatterns int
}

// before goes down the lists in HTTPRouteRule.matches and GRPCRouteRule.matches.
func (a *naiveCandidate) before(b *naiveCandidate) bool {
	if a.exact != b.exact {
		return a.exact
	}
	for _, n := range [][2]int{
		{a.prefix, b.prefix}, {a.regex, b.regex}, {countTrue(a.method), countTrue(b.method)},
		{a.service, b.service}, {a.grpcMethod, b.grpcMethod}, {a.grpcPatterns, b.grpcPatterns},
		{a.headers, b.headers}, {a.params, b.params},
	} {
		if n[0] != n[1] {
			return n[0] > n[1]
		}
	}
	if a.o != b.o {
		if !a.o.Created.Equal(b.o.Created) {
			return !a.o.Created.IsZero() && (b.o.Created.IsZero() || a.o.Created.Before(b.o.Created))
		}
		return a.o.Namespace+"/"+a.o.Name < b.o.Namespace+"/"+b.o.Name
	}
	if a.rule != b.rule {
		return a.rule < b.rule
	}
	return a.match < b.match
}

func countTrue(is bool) int {
	if is {
		return 1
	}
	return 0
}

// naiveMatches are all matches of a route that hold.
func naiveMatches(o *Object, c *naiveCall) (list []*naiveCandidate) {
	if o.Kind == "GRPCRoute" {
		for i, rule := range o.Spec.(*gateway.GRPCRouteSpec).Rules {
			if len(rule.Matches) == 0 {
				rule.Matches = make([]gateway.GRPCRouteMatch, 1)
			}
			for j := range rule.Matches {
				n := &naiveCandidate{o: o, rule: i, match: j}
				if n.grpcHolds(&rule.Matches[j], c) {
					list = append(list, n)
				}
			}
		}
		return list
	}
	for i, rule := range o.Spec.(*gateway.HTTPRouteSpec).Rules {
		if len(rule.Matches) == 0 {
			rule.Matches = make([]gateway.HTTPRouteMatch, 1)
		}
		for j := range rule.Matches {
			n := &naiveCandidate{o: o, rule: i, match: j}
			if n.httpHolds(&rule.Matches[j], c) {
				list = append(list, n)
			}
		}
	}
	return list
}

func naiveText(kind *string, want, have string) bool {
	if kind != nil && *kind == "RegularExpression" {
		return regexp.MustCompile("^(?:" + want + ")$").MatchString(have)
	}
	return want == have
}

func (a *naiveCandidate) httpHolds(m *gateway.HTTPRouteMatch, c *naiveCall) bool {
	kind, path := "PathPrefix", "/"
	if m.Path != nil && m.Path.Type != nil {
		kind = string(*m.Path.Type)
	}
	if m.Path != nil && m.Path.Value != nil {
		path = *m.Path.Value
	}
	switch kind {
	case "Exact":
		a.exact = true
		if path != c.q.Path {
			return false
		}
	case "RegularExpression":
		a.regex = len(path)
		if !naiveText(&kind, path, c.q.Path) {
			return false
		}
	default:
		path = strings.TrimSuffix(path, "/") // "when specified, a trailing / is ignored"
		a.prefix = len(path)
		elements, want := strings.Split(c.q.Path, "/"), strings.Split(path, "/")
		if len(elements) < len(want) || strings.Join(elements[:len(want)], "/") != path {
			return false
		}
	}
	if m.Method != nil {
		a.method = true
		if string(*m.Method) != c.q.Method {
			return false
		}
	}
	seen := map[string]bool{}
	for _, h := range m.Headers {
		if seen[strings.ToLower(string(h.Name))] {
			continue
		}
		seen[strings.ToLower(string(h.Name))] = true
		a.headers++
		if v, ok := c.header[strings.ToLower(string(h.Name))]; !ok || !naiveText((*string)(h.Type), h.Value, v) {
			return false
		}
	}
	query, _ := url.ParseQuery(c.q.RawQuery)
	for _, p := range m.QueryParams {
		a.params++
		if !query.Has(string(p.Name)) || !naiveText((*string)(p.Type), p.Value, query.Get(string(p.Name))) {
			return false
		}
	}
	return true
}

func (a *naiveCandidate) grpcHolds(m *gateway.GRPCRouteMatch, c *naiveCall) bool {
	if !c.q.GRPC {
		return false
	}
	parts := strings.Split(c.q.Path, "/") // "", service, method
	if m.Method != nil {
		for i, want := range []*string{m.Method.Service, m.Method.Method} {
			if want == nil || *want == "" {
				continue
			}
			if m.Method.Type != nil && *m.Method.Type == "RegularExpression" {
				a.grpcPatterns++
			} else {
				*[]*int{&a.service, &a.grpcMethod}[i] = len(*want)
			}
			if !naiveText((*string)(m.Method.Type), *want, parts[i+1]) {
				return false
			}
		}
	}
	seen := map[string]bool{}
	for _, h := range m.Headers {
		if seen[strings.ToLower(string(h.Name))] {
			continue
		}
		seen[strings.ToLower(string(h.Name))] = true
		a.headers++
		if v, ok := c.header[strings.ToLower(string(h.Name))]; !ok || !naiveText((*string)(h.Type), h.Value, v) {
			return false
		}
	}
	return true
}
