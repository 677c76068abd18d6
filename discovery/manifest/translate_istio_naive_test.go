package manifest

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
)

// naive reads VirtualServices as Istio's documentation tells of them, one after the other, for one request at a time.
type naive struct {
	namespace string
	labels    map[string]string
	list      []*Object // VirtualServices
}

// verdict is what becomes of a request: the object and the field of its route, and the path that the server sees. Where no
// route matches the field is "404", where no resource is for it all is empty.
type verdict struct{ object, field, path string }

// call is a request as the naive reading sees it.
type istioCall struct {
	host         string // in full
	port         uint32
	method, path string
	query        url.Values
	headers      map[string]string
	authority    string
}

func (n *naive) ask(q istioCall) verdict {
	for _, pattern := range n.patterns(q.host) {
		for _, o := range n.list {
			spec := o.Spec.(*networking.VirtualService)
			named := slices.ContainsFunc(spec.Hosts, func(h string) bool { return inFull(h, o.Namespace) == pattern })
			if !named || !n.visible(o, spec) {
				continue
			}
			if v, governs := n.routes(o, spec, q); governs {
				return v
			}
		}
		if !strings.HasPrefix(pattern, "*") && n.exact(pattern) {
			return verdict{field: "default", path: q.path}
		}
	}
	return verdict{}
}

// patterns are the host and the wildcards that hold for it, the longest first.
func (n *naive) patterns(host string) []string {
	list := []string{host}
	for rest := host; ; {
		_, after, more := strings.Cut(rest, ".")
		if !more {
			return list
		}
		list, rest = append(list, "*."+after), after
	}
}

// exact says whether there is a resource for just this host.
func (n *naive) exact(host string) bool {
	return slices.ContainsFunc(n.list, func(o *Object) bool {
		spec := o.Spec.(*networking.VirtualService)
		return n.visible(o, spec) && n.hasRoutes(o, spec) && slices.ContainsFunc(spec.Hosts, func(h string) bool { return inFull(h, o.Namespace) == host })
	})
}

// hasRoutes says whether a resource has a route for some caller of the namespace, at some port and with some labels.
func (n *naive) hasRoutes(o *Object, spec *networking.VirtualService) bool {
	for _, r := range spec.Http {
		for _, c := range n.choices(o, r) {
			if c.match == nil || n.forMe(c.match, true) && (c.root == nil || n.forMe(c.root, true)) {
				return true
			}
		}
	}
	return false
}

func inFull(host, namespace string) string {
	if strings.Contains(host, ".") {
		return host
	}
	return host + "." + namespace + ".svc.cluster.local"
}

func (n *naive) visible(o *Object, spec *networking.VirtualService) bool {
	mesh := len(spec.Gateways) == 0 || slices.Contains(spec.Gateways, "mesh")
	return mesh && (len(spec.ExportTo) == 0 || slices.ContainsFunc(spec.ExportTo, func(e string) bool {
		return e == "*" || e == n.namespace || e == "." && o.Namespace == n.namespace
	}))
}

// choice is a route with one of its matches; of a delegate with the root's match beside its own.
type choice struct {
	root, match *networking.HTTPMatchRequest
	o           *Object
	field       string
	rewrite     string
}

// routes asks the routes of a resource. It governs where one of them is there for the caller and the port.
func (n *naive) routes(o *Object, spec *networking.VirtualService, q istioCall) (v verdict, governs bool) {
	for i, r := range spec.Http {
		for _, c := range n.choices(o, r) {
			if c.o == nil {
				c.o, c.field = o, index("spec.http", i)
			}
			if !n.there(c.match, q) || !n.there(c.root, q) {
				continue
			}
			if governs = true; v.field == "" && holds(c.match, q) && holds(c.root, q) {
				v = verdict{c.o.String(), c.field, rewritten(c, q.path)}
			}
		}
	}
	if governs && v.field == "" {
		return verdict{o.String(), "404", q.path}, true
	}
	return v, governs
}

// choices are the matches of a route; one that has none matches all. Those of delegates are put together with the root's.
func (n *naive) choices(o *Object, r *networking.HTTPRoute) (list []choice) {
	if r.Delegate == nil {
		return each(r.Match, choice{rewrite: r.GetRewrite().GetUri()})
	}
	at := slices.IndexFunc(n.list, func(d *Object) bool {
		return d.Name == r.Delegate.Name && d.Namespace == cmp.Or(r.Delegate.Namespace, o.Namespace) && len(d.Spec.(*networking.VirtualService).Hosts) == 0
	})
	leaf := n.list[at]
	for i, l := range leaf.Spec.(*networking.VirtualService).Http {
		base := choice{o: leaf, field: index("spec.http", i), rewrite: cmp.Or(l.GetRewrite().GetUri(), r.GetRewrite().GetUri())}
		list = append(list, together(r.Match, l.Match, base)...)
	}
	return list
}

func each(matches []*networking.HTTPMatchRequest, base choice) (list []choice) {
	for _, m := range matches {
		base.match = m
		list = append(list, base)
	}
	if len(matches) == 0 {
		return []choice{base}
	}
	return list
}

// together pairs the matches of a delegate with those of the root that contain them; where one is in none there are none.
func together(root, leaf []*networking.HTTPMatchRequest, base choice) (list []choice) {
	if len(root) == 0 || len(leaf) == 0 {
		return each(append(slices.Clone(root), leaf...), base)
	}
	for _, l := range leaf {
		found := false
		for _, r := range root {
			if inside(l, r) {
				found = true
				base.match, base.root = l, r
				list = append(list, base)
			}
		}
		if !found {
			return nil
		}
	}
	return list
}

func inside(leaf, root *networking.HTTPMatchRequest) bool {
	if leaf.Port != 0 && root.Port != 0 && leaf.Port != root.Port || leaf.IgnoreUriCase != root.IgnoreUriCase {
		return false
	}
	if root.SourceNamespace != "" && leaf.SourceNamespace != root.SourceNamespace {
		return false
	}
	for name, value := range leaf.SourceLabels {
		if r, there := root.SourceLabels[name]; there && r != value {
			return false
		}
	}
	for _, g := range leaf.Gateways {
		if len(root.Gateways) > 0 && !slices.Contains(root.Gateways, g) {
			return false
		}
	}
	pairs := [][2]*networking.StringMatch{{leaf.Uri, root.Uri}, {leaf.Method, root.Method}, {leaf.Authority, root.Authority}}
	for name, h := range leaf.Headers {
		pairs = append(pairs, [2]*networking.StringMatch{h, root.Headers[name]})
	}
	for name, h := range leaf.WithoutHeaders {
		pairs = append(pairs, [2]*networking.StringMatch{h, root.WithoutHeaders[name]})
	}
	for name, p := range leaf.QueryParams {
		pairs = append(pairs, [2]*networking.StringMatch{p, root.QueryParams[name]})
	}
	return !slices.ContainsFunc(pairs, func(p [2]*networking.StringMatch) bool {
		return p[0] != nil && p[1] != nil && !textInside(p[0], p[1])
	})
}

func textInside(leaf, root *networking.StringMatch) bool {
	switch {
	case leaf.GetRegex() != "" || root.GetRegex() != "" || root.MatchType == nil || leaf.MatchType == nil:
		return false
	case root.GetPrefix() != "":
		return strings.HasPrefix(leaf.GetPrefix()+leaf.GetExact(), root.GetPrefix())
	}
	return leaf.GetPrefix() == "" && leaf.GetExact() == root.GetExact()
}

// there says whether a match is there for the caller and the port.
func (n *naive) there(m *networking.HTTPMatchRequest, q istioCall) bool {
	return m == nil || n.forMe(m, false) && (m.Port == 0 || m.Port == q.port)
}

func (n *naive) forMe(m *networking.HTTPMatchRequest, anybody bool) bool {
	if len(m.Gateways) > 0 {
		return slices.Contains(m.Gateways, "mesh")
	}
	for name, value := range m.SourceLabels {
		if n.labels[name] != value && !anybody {
			return false
		}
	}
	return m.SourceNamespace == "" || m.SourceNamespace == n.namespace
}

func holds(m *networking.HTTPMatchRequest, q istioCall) bool {
	if m == nil {
		return true
	}
	path, uri := q.path, m.Uri
	if m.IgnoreUriCase && uri.GetRegex() == "" {
		path = strings.ToLower(path)
		uri = lowered(uri)
	}
	if !textHolds(uri, path, true) || !textHolds(m.Method, q.method, true) || !textHolds(m.Authority, q.authority, true) {
		return false
	}
	for name, h := range m.Headers {
		value, there := q.headers[name]
		if !there || !textHolds(h, value, there) {
			return false
		}
	}
	for name, h := range m.WithoutHeaders {
		value, there := q.headers[name]
		if present := h.MatchType == nil; present && there || !present && textHolds(h, value, true) {
			return false
		}
	}
	for name, p := range m.QueryParams {
		if !q.query.Has(name) || !textHolds(p, q.query.Get(name), true) {
			return false
		}
	}
	return true
}

func lowered(m *networking.StringMatch) *networking.StringMatch {
	switch v := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: strings.ToLower(v.Exact)}}
	case *networking.StringMatch_Prefix:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: strings.ToLower(v.Prefix)}}
	}
	return m
}

func textHolds(m *networking.StringMatch, s string, there bool) bool {
	switch v := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return s == v.Exact
	case *networking.StringMatch_Prefix:
		return strings.HasPrefix(s, v.Prefix)
	case *networking.StringMatch_Regex:
		return regexp.MustCompile("^(?:" + v.Regex + ")$").MatchString(s)
	}
	return there
}

// rewritten is the path with what was matched replaced.
func rewritten(c choice, path string) string {
	uri := c.match.GetUri()
	if c.match.GetUri() == nil {
		uri = c.root.GetUri()
	}
	switch {
	case c.rewrite == "":
		return path
	case uri.GetExact() != "" || uri.GetRegex() != "":
		return c.rewrite
	}
	return c.rewrite + path[len(cmp.Or(uri.GetPrefix(), "/")):]
}

// seen is the verdict of what was compiled.
func seen(table *traffic.Table, s *State, q *traffic.Request) verdict {
	r := table.Match(q)
	if r == nil {
		return verdict{}
	}
	at := s.RouteOrigin(r.Index)
	switch {
	case r.Route.Respond != nil:
		return verdict{at.Object.String(), "404", q.Path}
	case at.Field == "spec.hosts":
		return verdict{field: "default", path: q.Path}
	}
	return verdict{at.Object.String(), at.Field, r.RewritePath(q.Path)}
}
