package manifest

import (
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// checkEjections warns of outlier detection that ejects nobody since its share of the endpoints is less than one: Istio's
// default is 10 percent. It can tell where manifests have the endpoints.
func (x *istio) checkEjections(m *hostRule) {
	if strings.HasPrefix(m.host, "*") {
		return
	}
	if m.of != nil {
		x.checkShareOf(m.of, "spec.trafficPolicy", m, m.policy, nil)
	}
	for _, s := range m.subsets {
		x.checkShareOf(s.o, s.field+".trafficPolicy", m, s.GetTrafficPolicy(), s.GetLabels())
	}
}

func (x *istio) checkShareOf(o *Object, at string, m *hostRule, t *networking.TrafficPolicy, labels map[string]string) {
	x.checkShareAt(o, at, m, 0, t.GetOutlierDetection(), labels)
	for i, l := range t.GetPortLevelSettings() {
		x.checkShareAt(o, index(at+".portLevelSettings", i), m, l.GetPort().GetNumber(), l.GetOutlierDetection(), labels)
	}
}

func (x *istio) checkShareAt(o *Object, at string, m *hostRule, port uint32, d *networking.OutlierDetection, labels map[string]string) {
	if d == nil {
		return
	}
	percent := int(d.GetMaxEjectionPercent())
	if percent == 0 {
		percent = 10
	}
	n := x.endpoints(m.host, port, labels)
	if n == 0 || n*percent >= 100 {
		return
	}
	x.warn(o, at+".outlierDetection", "ejects nobody: %d %% of %d endpoints is less than one; maxEjectionPercent: %d would eject one",
		percent, n, (99+n)/n)
}

// endpoints is the number of endpoints with the labels; 0 where it is not known.
func (x *istio) endpoints(host string, port uint32, labels map[string]string) (n int) {
	name := x.canonical(host)
	if port != 0 {
		name += ":" + strconv.FormatUint(uint64(port), 10)
	}
	p := x.state.plan(name)
	if len(p.lookup) > 0 {
		return 0
	}
	for _, e := range p.ready {
		has := true
		for label, value := range labels {
			have, ok := e.Metadata[label]
			has = has && ok && have == value
		}
		if has {
			n++
		}
	}
	return n
}
