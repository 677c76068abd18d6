package manifest

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/client/traffic"
)

// destinations makes a destination of each host that has a rule: of those that manifests define, that have rules of their
// own or that routes lead to, and of each wildcard.
func (x *istio) destinations() {
	hosts := map[string]bool{}
	for _, host := range x.known() {
		hosts[host] = true
	}
	maps.Copy(hosts, x.called)
	made, wild := map[*hostRule]*ruled{}, x.wildcards()
	for _, host := range sortedKeys(hosts) {
		if m := x.rules.find(host); m != nil {
			x.governed[host] = m
			x.destinationsOf(made, m, x.canonical(host))
		} else if i := slices.IndexFunc(wild, func(m *hostRule) bool { return matchesHost(m.host, host) }); i >= 0 {
			x.destination(wild[i].o, "spec.host", traffic.Destination{Service: x.canonical(host)}) // a rule that is not for it
		}
	}
	for _, m := range wild {
		x.governed[m.host] = m
		x.destinationsOf(made, m, m.host)
	}
	x.unusedRules()
}

// wildcards are the rules that count for each wildcard that rules are for.
func (x *istio) wildcards() (list []*hostRule) {
	hosts := map[string]bool{}
	for _, m := range x.rules.all {
		if strings.HasPrefix(m.host, "*") {
			hosts[m.host] = true
		}
	}
	for _, host := range sortedKeys(hosts) {
		if m := x.rules.find(host); m != nil && m.host == host {
			list = append(list, m)
		}
	}
	return list
}

// unusedRules tells of rules that Istio would not look at.
func (x *istio) unusedRules() {
	for _, m := range x.rules.all {
		if x.rules.used[m] || strings.HasPrefix(m.host, "*") {
			continue
		}
		if other := x.rules.find(m.host); other != nil {
			x.warn(m.o, "spec.host", "has no effect: callers of %s take %s, as Istio looks in the namespace of the caller, of the service and in %s",
				x.cfg.Namespace, other.o, rootNamespace)
			continue
		}
		x.warn(m.o, "spec.host", "has no effect: Istio looks in the namespace of the caller, of the service and in %s", rootNamespace)
	}
}

// ruled is a rule translated: for all ports, and for each port that has settings of its own.
type ruled struct {
	list []traffic.Destination
}

// destinationsOf adds the destinations of a name by a rule, which is translated once.
func (x *istio) destinationsOf(made map[*hostRule]*ruled, m *hostRule, name string) {
	r := made[m]
	if r == nil {
		r = x.ruled(m)
		made[m] = r
		x.checkEjections(m)
	}
	field := "spec.trafficPolicy"
	o := m.of
	if o == nil {
		o, field = m.o, "spec.subsets"
	}
	for _, d := range r.list {
		d.Service = name
		x.destination(o, field, d)
	}
}

func (x *istio) ruled(m *hostRule) *ruled {
	r := &ruled{}
	for _, port := range portsOf(m) {
		d := traffic.Destination{Port: port}
		top := policyAt(m, nil, port)
		d.Settings = x.settings(top)
		for _, s := range m.subsets {
			sub := traffic.Subset{Name: s.GetName(), Labels: s.GetLabels()}
			if p := s.GetTrafficPolicy(); p != nil {
				sub.Settings = apart(x.settings(policyAt(m, s, port)), d.Settings)
			}
			d.Subsets = append(d.Subsets, sub)
		}
		r.list = append(r.list, d)
	}
	return r
}

// portsOf are the ports for which a rule or one of its subsets says something of their own, and 0 for all others.
func portsOf(m *hostRule) []uint16 {
	ports := []uint16{0}
	policies := []*networking.TrafficPolicy{m.policy}
	for _, s := range m.subsets {
		policies = append(policies, s.GetTrafficPolicy())
	}
	for _, p := range policies {
		for _, l := range p.GetPortLevelSettings() {
			ports = append(ports, uint16(l.GetPort().GetNumber()))
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// policy is what counts at a port, each part with its place.
type policy struct {
	balance *networking.LoadBalancerSettings
	pool    *networking.ConnectionPoolSettings
	outlier *networking.OutlierDetection
	tls     *networking.ClientTLSSettings
	budget  *networking.TrafficPolicy_RetryBudget
}

// policyAt is Istio's MergeTrafficPolicy: settings of a port take the place of all that is said for the host, whole; what a
// subset gives takes the place of the host's parts, and its own settings of the port the place of all. A retryBudget is no
// matter of ports.
func policyAt(m *hostRule, s *subsetOf, port uint16) policy {
	p := policyOf(m.policy, policy{}, port)
	if s != nil {
		p = policyOf(s.GetTrafficPolicy(), p, port)
	}
	return p
}

func policyOf(t *networking.TrafficPolicy, p policy, port uint16) policy {
	for _, l := range t.GetPortLevelSettings() {
		if port != 0 && uint16(l.GetPort().GetNumber()) == port {
			p = policy{l.GetLoadBalancer(), l.GetConnectionPool(), l.GetOutlierDetection(), l.GetTls(), p.budget}
			if b := t.GetRetryBudget(); b != nil {
				p.budget = b
			}
			return p
		}
	}
	if v := t.GetLoadBalancer(); v != nil {
		p.balance = v
	}
	if v := t.GetConnectionPool(); v != nil {
		p.pool = v
	}
	if v := t.GetOutlierDetection(); v != nil {
		p.outlier = v
	}
	if v := t.GetTls(); v != nil {
		p.tls = v
	}
	if v := t.GetRetryBudget(); v != nil {
		p.budget = v
	}
	return p
}
