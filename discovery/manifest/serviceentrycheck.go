package manifest

import (
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// checkEntry holds the rules of Istio's validation that concern a ServiceEntry as a whole.
func (t *translation) checkEntry(o *Object, spec *networking.ServiceEntry) {
	if len(spec.GetHosts()) == 0 {
		t.wrong(o, "spec", "hosts: at least one is needed")
	}
	for i, host := range spec.GetHosts() {
		t.checkEntryHost(o, index("spec.hosts", i), host, spec)
	}
	if len(spec.GetPorts()) == 0 {
		t.warn(o, "spec", "has no ports, so that nothing can be called")
	}
	endpoints := len(spec.GetEndpoints())
	if endpoints > 0 && spec.GetWorkloadSelector() != nil {
		t.wrong(o, "spec.workloadSelector", "only one of workloadSelector and endpoints can be given")
	}
	switch spec.GetResolution() {
	case networking.ServiceEntry_NONE:
		if endpoints > 0 {
			t.wrong(o, "spec.endpoints", "the resolution NONE has none")
		}
	case networking.ServiceEntry_DNS_ROUND_ROBIN:
		if endpoints > 1 {
			t.wrong(o, "spec.endpoints", "the resolution DNS_ROUND_ROBIN has at most one")
		}
	case networking.ServiceEntry_DYNAMIC_DNS:
		if endpoints > 0 {
			t.warn(o, "spec.endpoints", "have no effect: the resolution is DYNAMIC_DNS")
		}
	case networking.ServiceEntry_STATIC:
		if endpoints == 0 && spec.GetWorkloadSelector() == nil {
			t.warn(o, "spec", "has no endpoints, and the resolution is STATIC")
		}
	}
	t.checkLocation(o, spec)
	t.checkSelector(o, spec)
	t.checkExport(o, "spec.exportTo", spec.GetExportTo())
}

func (t *translation) checkEntryHost(o *Object, at, host string, spec *networking.ServiceEntry) {
	name, wildcard := strings.CutPrefix(host, "*.")
	switch {
	case host == "*":
		t.wrong(o, at, "\"*\" is not a host; name the domain: \"*.example.com\"")
	case !isHost(name):
		t.wrong(o, at, "%q is not the name of a host", host)
	case wildcard && len(spec.GetEndpoints()) == 0 && spec.GetWorkloadSelector() == nil &&
		(spec.GetResolution() == networking.ServiceEntry_DNS || spec.GetResolution() == networking.ServiceEntry_DNS_ROUND_ROBIN):
		t.wrong(o, at, "a wildcard is not in DNS: give endpoints, or the resolution NONE or DYNAMIC_DNS")
	case !wildcard && spec.GetResolution() == networking.ServiceEntry_DYNAMIC_DNS:
		t.wrong(o, at, "the resolution DYNAMIC_DNS is for wildcards only")
	}
}

// checkLocation warns of a location that is not given where the service looks like one of the mesh, because Istio's default
// has it called without an identity.
func (t *translation) checkLocation(o *Object, spec *networking.ServiceEntry) {
	if o.has("spec.location") {
		return
	}
	own := spec.GetWorkloadSelector() != nil
	for _, host := range spec.GetHosts() {
		own = own || strings.HasSuffix(t.host(host, o.Namespace), ".svc."+t.cfg.Domain)
	}
	for _, e := range spec.GetEndpoints() {
		own = own || e.GetServiceAccount() != ""
	}
	if own {
		t.warn(o, "spec", "location is not given and means MESH_EXTERNAL, which is called without the identities of the mesh")
	}
}

func (t *translation) checkSelector(o *Object, spec *networking.ServiceEntry) {
	selector := spec.GetWorkloadSelector()
	if selector == nil {
		return
	}
	if len(selector.GetLabels()) == 0 {
		t.warn(o, "spec.workloadSelector", "has no labels and selects nothing")
	}
	for label, value := range selector.GetLabels() {
		if strings.Contains(label+value, "*") {
			t.wrong(o, entry("spec.workloadSelector.labels", label), "a selector has no wildcards")
		}
	}
	if o.has("spec.location") && spec.GetLocation() == networking.ServiceEntry_MESH_EXTERNAL {
		t.warn(o, "spec.workloadSelector", "is meant for services of the mesh: location MESH_INTERNAL")
	}
}

// checkExport checks the names of namespaces.
func (t *translation) checkExport(o *Object, field string, to []string) {
	for i, n := range to {
		switch {
		case n == "~":
			t.refuse(o, index(field, i), "\"~\", exported to nobody, is for resources of an API server: leave the resource out")
		case n != "." && n != "*" && !isLabel(n, 63):
			t.wrong(o, index(field, i), "%q is neither a namespace nor \".\" nor \"*\"", n)
		}
	}
}

// identify gives workloads the identity that subjectAltNames say.
func (t *translation) identify(s *service) {
	if s.external || len(s.sans) == 0 {
		return
	}
	if len(s.sans) > 1 || !strings.HasPrefix(s.sans[0], "spiffe://") {
		t.refuse(s.origin, "spec.subjectAltNames", "an endpoint of the mesh must prove one identity: want a single SPIFFE ID")
		s.sans = nil
		return
	}
	s.expect()
}

// expect has workloads of which nothing else is known prove the identity of the service.
func (s *service) expect() {
	if s.external || len(s.sans) != 1 {
		return
	}
	for i := range s.workloads {
		if s.workloads[i].id == "" {
			s.workloads[i].id = s.sans[0]
		}
	}
}

// decimal is a number as text; 0 is none.
func decimal(n uint32) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}
