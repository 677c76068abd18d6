package manifest

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// serviceEntry makes services of a ServiceEntry, one for each host.
func (t *translation) serviceEntry(o *Object, all workloadIndex) {
	spec, ok := o.Spec.(*networking.ServiceEntry)
	if !ok {
		return
	}
	before := len(t.findings)
	made := &service{
		origin: o, ports: t.entryPorts(o, spec), external: spec.GetLocation() == networking.ServiceEntry_MESH_EXTERNAL,
		resolve: resolveOf(spec.GetResolution()), sans: spec.GetSubjectAltNames(),
	}
	t.checkEntry(o, spec)
	t.entryWorkloads(made, spec, all)
	aliases := t.entryAddresses(o, spec)
	t.identify(made)
	if t.findings[before:].Err() != nil || !t.exported(o, spec.GetExportTo()) {
		return
	}
	for i, host := range spec.GetHosts() {
		s := *made
		s.host, s.field = t.host(host, o.Namespace), index("spec.hosts", i)
		if i == 0 {
			s.aliases = aliases
		}
		t.define(&s)
	}
}

func resolveOf(r networking.ServiceEntry_Resolution) resolve {
	switch r {
	case networking.ServiceEntry_DNS:
		return resolveNames
	case networking.ServiceEntry_DNS_ROUND_ROBIN:
		return resolveLate
	case networking.ServiceEntry_NONE, networking.ServiceEntry_DYNAMIC_DNS:
		return resolveAsked
	}
	return resolveNone
}

// define adds a service, or merges it with the one that has its host.
func (t *translation) define(s *service) {
	r := t.state.services
	other := r.hosts[s.host]
	switch {
	case other == nil:
		r.hosts[s.host] = s
	case other.origin == s.origin:
		t.wrong(s.origin, s.field, "host %q is there twice", s.host)
	case other.origin.Kind == "Service":
		other.sans = s.sans
		other.expect()
		t.warn(s.origin, s.field, "%v defines the host: but for subjectAltNames this has no effect", other.origin)
	case other.origin.Namespace != s.origin.Namespace:
		t.warn(s.origin, s.field, "has no effect: %v defines the host, too, and goes first", other.origin)
	case !slices.Equal(other.ports, s.ports) || other.resolve != s.resolve || other.external != s.external:
		t.wrong(s.origin, s.field, "%v defines the host, too, with other ports, resolution or location", other.origin)
	default: // as Istio does, which is how a service is moved from one to the other
		merged := *other
		merged.workloads = slices.Concat(other.workloads, s.workloads)
		r.hosts[s.host] = &merged
	}
}

// entryPorts reads the ports.
func (t *translation) entryPorts(o *Object, spec *networking.ServiceEntry) (ports []port) {
	for i, p := range spec.GetPorts() {
		at := index("spec.ports", i)
		switch n := p.GetNumber(); {
		case n == 0 || n > math.MaxUint16:
			t.wrong(o, at+".number", "%d: want 1 to 65535", n)
		case p.GetTargetPort() > math.MaxUint16:
			t.wrong(o, at+".targetPort", "%d: want 1 to 65535", p.GetTargetPort())
		case p.GetName() == "":
			t.wrong(o, at, "a port needs a name")
		case !isLabel(strings.ToLower(p.GetName()), 63):
			t.wrong(o, at+".name", "%q: want letters, digits and \"-\", at most 63", p.GetName())
		}
		protocol := strings.ToUpper(p.GetProtocol())
		if !slices.Contains(protocols, protocol) {
			t.unknown(o, at+".protocol", "protocol", p.GetProtocol(), protocols)
		} else if protocol == "UDP" {
			t.refuse(o, at+".protocol", "only TCP is called")
			continue
		}
		for j := range ports {
			if ports[j].number == uint16(p.GetNumber()) || ports[j].name == p.GetName() {
				t.wrong(o, at, "its number or name is that of another port")
				break
			}
		}
		ports = append(ports, port{uint16(p.GetNumber()), p.GetName(), protocol, decimal(p.GetTargetPort())})
	}
	return ports
}

// protocols are those that Istio knows. Empty: found out from what is sent.
var protocols = []string{"", "HTTP", "HTTP2", "HTTPS", "GRPC", "GRPC-WEB", "TLS", "TCP", "MONGO", "REDIS", "MYSQL", "UDP"}

// entryWorkloads adds the endpoints and those that the workloadSelector finds.
func (t *translation) entryWorkloads(s *service, spec *networking.ServiceEntry, all workloadIndex) {
	o := s.origin
	for i, e := range spec.GetEndpoints() {
		at := index("spec.endpoints", i)
		t.checkWorkload(o, at, e)
		t.checkUse(o, at, s, e)
		s.workloads = append(s.workloads, t.workload(o.Namespace, e, e.GetLabels()))
	}
	if spec.GetWorkloadSelector() == nil {
		return
	}
	for _, e := range all.selected(o.Namespace, spec.GetWorkloadSelector().GetLabels()) {
		t.checkUse(e.object, "spec", s, e.spec)
		s.workloads = append(s.workloads, t.workload(e.object.Namespace, e.spec, entryLabels(e.object, e.spec)))
	}
}

// checkUse finds what is wrong with a workload as an endpoint of this service.
func (t *translation) checkUse(o *Object, field string, s *service, e *networking.WorkloadEntry) {
	unix := strings.HasPrefix(e.GetAddress(), "unix://")
	switch {
	case unix && s.resolve != resolveNone:
		t.wrong(o, field+".address", "a unix socket is not in DNS; the resolution of %v must be STATIC", s.origin)
	case unix && len(s.ports) != 1:
		t.wrong(o, field+".address", "a unix socket is for a service of one port; %v has %d", s.origin, len(s.ports))
	case !unix && s.resolve == resolveNone && !isAddress(e.GetAddress()) && e.GetAddress() != "":
		t.wrong(o, field+".address", "%q is not an IP address, and the resolution of %v is STATIC", e.GetAddress(), s.origin)
	}
	for name := range e.GetPorts() {
		if o == s.origin && !slices.ContainsFunc(s.ports, func(p port) bool { return p.name == name }) {
			var known []string
			for _, p := range s.ports {
				known = append(known, p.name)
			}
			t.unknown(o, entry(field+".ports", name), "port", name, known)
		}
	}
}

// entryAddresses are the addresses that stand for the service.
func (t *translation) entryAddresses(o *Object, spec *networking.ServiceEntry) (names []string) {
	for i, text := range spec.GetAddresses() {
		at := index("spec.addresses", i)
		if a, err := netip.ParseAddr(text); err == nil {
			names = append(names, a.String())
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			t.wrong(o, at, "%q is neither an IP address nor a range of them", text)
		case prefix.IsSingleIP():
			names = append(names, prefix.Addr().String())
		default:
			t.refuse(o, at, "a range of addresses stands for no name that can be called")
		}
	}
	return names
}
