package manifest

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"
)

// delegates are the VirtualServices without hosts, whose routes others take in the place of theirs.
type delegates struct {
	by   map[[2]string]*Object // namespace and name
	used map[*Object]bool
}

func (x *istio) delegates() *delegates {
	d := &delegates{by: map[[2]string]*Object{}, used: map[*Object]bool{}}
	for _, o := range x.objects(istioGroup, "VirtualService") {
		if spec, is := o.Spec.(*networking.VirtualService); is && len(spec.GetHosts()) == 0 {
			d.by[[2]string{o.Namespace, o.Name}] = o
		}
	}
	return d
}

// unused tells of delegates that nobody asks for.
func (d *delegates) unused(x *istio) {
	for _, o := range byCreation(slices.Collect(maps.Values(d.by))) {
		if !d.used[o] {
			x.warn(o, "spec", "has no hosts, and no other VirtualService has it as its delegate, so that it has no effect")
		}
	}
}

// merge gives the routes of a delegate in the place of the root's route: as Istio does it, those whose matches are within
// the root's, with what only the root says added. A route that is in conflict is left out.
func (d *delegates) merge(x *istio, root *Object, field string, r *networking.HTTPRoute) (routes []*httpRoute) {
	o := d.find(x, root, field, r.GetDelegate())
	if o == nil {
		return nil
	}
	d.used[o] = true
	spec := o.Spec.(*networking.VirtualService)
	if !exportedTo(o, spec.GetExportTo(), root.Namespace) {
		x.warn(root, field+".delegate", "has no effect: %s is not exported to %s", o, root.Namespace)
		return nil
	}
	for i, leaf := range spec.GetHttp() {
		at := index("spec.http", i)
		merged := mergeRoute(x, root, r, leaf)
		if merged == nil {
			x.warn(o, at, "has no effect in %s: its match is not within that of %s there, which Istio demands", root, field)
			continue
		}
		routes = append(routes, &httpRoute{HTTPRoute: merged, o: o, field: at})
	}
	return routes
}

func (d *delegates) find(x *istio, root *Object, field string, to *networking.Delegate) *Object {
	namespace := to.GetNamespace()
	if namespace == "" {
		namespace = root.Namespace
	}
	if o := d.by[[2]string{namespace, to.GetName()}]; o != nil {
		return o
	}
	var known []string
	for key := range d.by {
		if key[0] == namespace {
			known = append(known, key[1])
		}
	}
	x.unknown(root, field+".delegate.name", "VirtualService without hosts in "+namespace+",", to.GetName(), known)
	return nil
}

// mergeRoute is a delegate's route with what it does not say taken from the root's; nil where their matches conflict. The
// hosts that the root names are given in full, since they are of its namespace.
func mergeRoute(x *istio, o *Object, root, leaf *networking.HTTPRoute) *networking.HTTPRoute {
	matches, fits := mergeMatches(root.GetMatch(), leaf.GetMatch())
	if !fits {
		return nil
	}
	r := proto.Clone(leaf).(*networking.HTTPRoute)
	r.Match = matches
	r.Name = joinNames(root.GetName(), leaf.GetName())
	from := proto.Clone(root).(*networking.HTTPRoute)
	x.inFull(o, from.GetMirror())
	for _, m := range from.GetMirrors() {
		x.inFull(o, m.GetDestination())
	}
	from.Delegate, from.Match, from.Name = nil, nil, ""
	to := r.ProtoReflect()
	fields := from.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); from.ProtoReflect().Has(f) && !to.Has(f) {
			to.Set(f, from.ProtoReflect().Get(f))
		}
	}
	return r
}

func (x *istio) inFull(o *Object, d *networking.Destination) {
	if d != nil {
		d.Host = x.host(d.GetHost(), o.Namespace)
	}
}

func joinNames(root, leaf string) string { return strings.Trim(root+"-"+leaf, "-") }

// mergeMatches puts each match of a delegate together with each of the root's that it is within. A delegate's match that is
// within none makes a conflict.
func mergeMatches(root, leaf []*networking.HTTPMatchRequest) (merged []*networking.HTTPMatchRequest, fits bool) {
	if len(root) == 0 {
		return leaf, true
	}
	if len(leaf) == 0 {
		return root, true
	}
	for _, l := range leaf {
		before := len(merged)
		for _, r := range root {
			if !conflict(r, l) {
				merged = append(merged, mergeMatch(r, l))
			}
		}
		if len(merged) == before {
			return nil, false
		}
	}
	return merged, true
}

// mergeMatch is a delegate's match with the root's conditions added.
func mergeMatch(root, leaf *networking.HTTPMatchRequest) *networking.HTTPMatchRequest {
	m := proto.Clone(root).(*networking.HTTPMatchRequest)
	l := leaf.ProtoReflect()
	fields := l.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !l.Has(f) || f.IsMap() {
			continue
		}
		m.ProtoReflect().Set(f, l.Get(f))
	}
	m.Headers = both(root.GetHeaders(), leaf.GetHeaders())
	m.WithoutHeaders = both(root.GetWithoutHeaders(), leaf.GetWithoutHeaders())
	m.QueryParams = both(root.GetQueryParams(), leaf.GetQueryParams())
	m.SourceLabels = both(root.GetSourceLabels(), leaf.GetSourceLabels())
	m.Name = joinNames(root.GetName(), leaf.GetName())
	return m
}

func both[V any](root, leaf map[string]V) map[string]V {
	m := maps.Clone(root)
	if m == nil {
		return leaf
	}
	maps.Copy(m, leaf)
	return m
}

// conflict says whether a delegate's match is not within one of the root's.
func conflict(root, leaf *networking.HTTPMatchRequest) bool {
	rootTexts := []*networking.StringMatch{root.GetUri(), root.GetScheme(), root.GetMethod(), root.GetAuthority()}
	for i, l := range []*networking.StringMatch{leaf.GetUri(), leaf.GetScheme(), leaf.GetMethod(), leaf.GetAuthority()} {
		if textConflict(rootTexts[i], l) {
			return true
		}
	}
	return textsConflict(root.GetHeaders(), leaf.GetHeaders()) ||
		textsConflict(root.GetWithoutHeaders(), leaf.GetWithoutHeaders()) ||
		textsConflict(root.GetQueryParams(), leaf.GetQueryParams()) ||
		root.GetIgnoreUriCase() != leaf.GetIgnoreUriCase() ||
		root.GetPort() > 0 && leaf.GetPort() > 0 && root.GetPort() != leaf.GetPort() ||
		sourceConflict(root, leaf)
}

func textsConflict(root, leaf map[string]*networking.StringMatch) bool {
	for name, l := range leaf {
		if textConflict(root[name], l) {
			return true
		}
	}
	return false
}

// textConflict says whether a delegate's condition is not within the root's. A regex on one side is a conflict whatever
// stands on the other.
func textConflict(root, leaf *networking.StringMatch) bool {
	if root == nil || leaf == nil {
		return false
	}
	switch r := root.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		l, exact := leaf.GetMatchType().(*networking.StringMatch_Exact)
		return !exact || l.Exact != r.Exact
	case *networking.StringMatch_Prefix:
		switch l := leaf.GetMatchType().(type) {
		case *networking.StringMatch_Exact:
			return !strings.HasPrefix(l.Exact, r.Prefix)
		case *networking.StringMatch_Prefix:
			return !strings.HasPrefix(l.Prefix, r.Prefix)
		}
	}
	return true
}

// sourceConflict says whether a delegate's match is for other callers. Where the root's names a namespace Istio has the
// delegate's name the same.
func sourceConflict(root, leaf *networking.HTTPMatchRequest) bool {
	if n := root.GetSourceNamespace(); n != "" && leaf.GetSourceNamespace() != n {
		return true
	}
	for label, value := range leaf.GetSourceLabels() {
		if have, there := root.GetSourceLabels()[label]; there && have != value {
			return true
		}
	}
	if len(root.GetGateways()) == 0 {
		return false
	}
	return slices.ContainsFunc(leaf.GetGateways(), func(g string) bool { return !slices.Contains(root.GetGateways(), g) })
}
