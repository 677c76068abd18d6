package manifest

import (
	"cmp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// hostRules finds the DestinationRule of a host.
type hostRules struct {
	x          *istio
	namespaces map[string]*namespaceRules
	// local are those of the root namespace that are for it alone, where callers of it look first.
	local      *namespaceRules
	exactHosts map[string]bool // hosts of rules that are no wildcards
	all        []*hostRule
	used       map[*hostRule]bool
}

// namespaceRules are the rules of a namespace, those for the same host merged.
type namespaceRules struct {
	by   map[string]*hostRule
	wild []string // the longest first
}

// hostRule is the rules of a namespace for a host as one: the subsets of all, and the traffic policy of the first that has
// one, as Istio merges them.
type hostRule struct {
	host    string
	o       *Object // the first
	policy  *networking.TrafficPolicy
	of      *Object // whose policy it is
	subsets []*subsetOf
}

// subsetOf is a subset with the place where it is declared.
type subsetOf struct {
	*networking.Subset
	o     *Object
	field string
}

// hostRules gathers the rules that callers of the own namespace see, the oldest first.
func (x *istio) hostRules() *hostRules {
	h := &hostRules{
		x: x, namespaces: map[string]*namespaceRules{}, local: newNamespaceRules(), exactHosts: map[string]bool{},
		used: map[*hostRule]bool{},
	}
	for _, o := range byCreation(x.objects(istioGroup, "DestinationRule")) {
		spec, is := o.Spec.(*networking.DestinationRule)
		if !is {
			continue
		}
		before := len(x.findings)
		x.checkRule(o, spec)
		if x.findings[before:].Err() == nil && (o.Namespace == x.cfg.Namespace || x.exported(o, spec.GetExportTo())) {
			h.add(o, spec)
		}
	}
	for _, n := range h.namespaces {
		n.sort()
	}
	h.local.sort()
	return h
}

func newNamespaceRules() *namespaceRules { return &namespaceRules{by: map[string]*hostRule{}} }

func (h *hostRules) add(o *Object, spec *networking.DestinationRule) {
	host := h.x.host(spec.GetHost(), o.Namespace)
	if !strings.HasPrefix(host, "*") {
		h.exactHosts[host] = true
	}
	n := h.namespaces[o.Namespace]
	if n == nil {
		n = newNamespaceRules()
		h.namespaces[o.Namespace] = n
	}
	if o.Namespace == rootNamespace && len(spec.GetExportTo()) == 1 && isPrivate(spec.GetExportTo()[0]) {
		n = h.local
	}
	if m := n.by[host]; m != nil {
		h.merge(m, o, spec)
		return
	}
	m := &hostRule{host: host, o: o}
	n.by[host] = m
	h.all = append(h.all, m)
	h.merge(m, o, spec)
}

func isPrivate(to string) bool { return to == "." || to == rootNamespace }

// merge adds a younger rule for the same host.
func (h *hostRules) merge(m *hostRule, o *Object, spec *networking.DestinationRule) {
	if p := spec.GetTrafficPolicy(); p != nil {
		if m.policy == nil {
			m.policy, m.of = p, o
		} else {
			h.x.warn(o, "spec.trafficPolicy", "has no effect: %s has one for %q already, and of two the older one counts", m.of, m.host)
		}
	}
	for i, s := range spec.GetSubsets() {
		at := index("spec.subsets", i)
		if j := slices.IndexFunc(m.subsets, func(have *subsetOf) bool { return have.GetName() == s.GetName() }); j >= 0 {
			h.x.warn(o, at, "has no effect: %s has a subset %q already, and of two the older one counts", m.subsets[j].o, s.GetName())
			continue
		}
		m.subsets = append(m.subsets, &subsetOf{s, o, at})
	}
}

func (n *namespaceRules) sort() {
	for host := range n.by {
		if strings.HasPrefix(host, "*") {
			n.wild = append(n.wild, host)
		}
	}
	slices.SortFunc(n.wild, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
}

// find is the rule of a namespace for a host: its own, else that of the longest wildcard.
func (n *namespaceRules) find(host string) *hostRule {
	if n == nil {
		return nil
	}
	if m := n.by[host]; m != nil {
		return m
	}
	for _, w := range n.wild {
		if matchesHost(w, host) {
			return n.by[w]
		}
	}
	return nil
}

// find is the rule that counts for a host: that of the caller's namespace, be it a wildcard, before that of the service's,
// and that before one of the root namespace.
func (h *hostRules) find(host string) *hostRule {
	for _, n := range h.order(host) {
		if m := n.find(host); m != nil {
			h.used[m] = true
			return m
		}
	}
	return nil
}

// order is where the rules of a host are looked for. Of a service that no manifest defines and whose name does not say it
// the namespace is not known: it may be any. Services of a cluster below a wildcard are of many namespaces, of which other
// ones than the caller's and the root say nothing for all of them.
func (h *hostRules) order(host string) []*namespaceRules {
	own := h.namespaces[h.x.cfg.Namespace]
	if h.x.cfg.Namespace == rootNamespace {
		own = h.local
	}
	order := []*namespaceRules{own}
	if of, known := h.x.namespaceOf(host); known {
		order = append(order, h.namespaces[of])
	} else if !strings.HasPrefix(host, "*") || !strings.HasSuffix(".svc."+h.x.cfg.Domain, host[1:]) {
		for _, name := range sortedKeys(h.namespaces) {
			order = append(order, h.namespaces[name])
		}
	}
	return append(order, h.namespaces[rootNamespace])
}

// namespaceOf is the namespace of a service.
func (x *istio) namespaceOf(host string) (namespace string, known bool) {
	if s := x.service(host); s != nil && s.origin != nil {
		return s.origin.Namespace, true
	}
	if short, is := strings.CutSuffix(host, ".svc."+x.cfg.Domain); is {
		namespace = short[strings.LastIndexByte(short, '.')+1:]
		return namespace, namespace != "*"
	}
	return "", false
}
