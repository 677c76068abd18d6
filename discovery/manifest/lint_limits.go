package manifest

import (
	networking "istio.io/api/networking/v1alpha3"
)

// policyPart is a trafficPolicy of a DestinationRule, or that of a port.
type policyPart struct {
	o       *Object
	field   string
	host    string
	labels  map[string]string // of the subset that it is for
	pool    *networking.ConnectionPoolSettings
	outlier *networking.OutlierDetection
}

// policyParts are those of all DestinationRules.
func (l *linter) policyParts() (parts []policyPart) {
	for _, o := range l.objects(istioGroup, "DestinationRule") {
		spec := o.Spec.(*networking.DestinationRule)
		host := l.host(spec.GetHost(), o.Namespace)
		add := func(field string, p *networking.TrafficPolicy, labels map[string]string) {
			parts = append(parts, policyPart{o, field, host, labels, p.GetConnectionPool(), p.GetOutlierDetection()})
			for i, q := range p.GetPortLevelSettings() {
				at := index(field+".portLevelSettings", i)
				parts = append(parts, policyPart{o, at, host, labels, q.GetConnectionPool(), q.GetOutlierDetection()})
			}
		}
		add("spec.trafficPolicy", spec.GetTrafficPolicy(), nil)
		for i, s := range spec.GetSubsets() {
			add(index("spec.subsets", i)+".trafficPolicy", s.GetTrafficPolicy(), s.GetLabels())
		}
	}
	return parts
}

// limits finds limits that are written down as 0. Istio's messages cannot tell that from a limit that is not there.
func (l *linter) limits() {
	for _, p := range l.policyParts() {
		tcp, http := p.pool.GetTcp(), p.pool.GetHttp()
		for _, limit := range []struct {
			name  string
			value int32
		}{
			{"tcp.maxConnections", tcp.GetMaxConnections()},
			{"http.http1MaxPendingRequests", http.GetHttp1MaxPendingRequests()},
			{"http.http2MaxRequests", http.GetHttp2MaxRequests()},
			{"http.maxRetries", http.GetMaxRetries()},
		} {
			field := p.field + ".connectionPool." + limit.name
			if limit.value == 0 && p.o.has(field) && !l.toldOf(p.o, field) {
				l.find(p.o, field, "0 is no limit at all: it is the same as leaving the field out", "")
			}
		}
	}
}
