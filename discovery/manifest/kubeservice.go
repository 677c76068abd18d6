package manifest

import (
	"cmp"
	"math"
	"strings"
)

// exportAnnotation is where a Service says which namespaces see it.
const exportAnnotation = "networking.istio.io/exportTo"

// kubernetesServices makes services of those of Kubernetes.
func (t *translation) kubernetesServices(all workloadIndex) {
	parts := t.slices()
	for _, o := range t.objects("", "Service") {
		spec, ok := o.Spec.(*serviceSpec)
		if !ok {
			continue
		}
		key := o.Namespace + "/" + o.Name
		of := parts[key]
		delete(parts, key)
		s := &service{host: t.full(strings.ToLower(o.Name), o.Namespace), origin: o, field: "metadata.name"}
		s.ports = t.servicePorts(o, spec)
		t.checkService(o, spec)
		if spec.Type == "ExternalName" {
			t.externalName(s, spec, of)
		} else {
			s.workloads = t.endpointsOf(s, spec, of)
		}
		for _, e := range all.selected(o.Namespace, spec.Selector) {
			s.workloads = append(s.workloads, t.workload(e.object.Namespace, e.spec, entryLabels(e.object, e.spec)))
		}
		if t.exported(o, exportsOf(o)) {
			t.state.services.hosts[s.host] = s
		}
	}
	for _, of := range parts {
		for _, o := range of {
			t.warn(o, "metadata.labels", "has no effect: no manifest defines Service/%s", o.Labels[serviceLabel])
		}
	}
}

// exportsOf reads the annotation of a Service.
func exportsOf(o *Object) (to []string) {
	for part := range strings.SplitSeq(o.Annotations[exportAnnotation], ",") {
		if part = strings.TrimSpace(part); part != "" {
			to = append(to, part)
		}
	}
	return to
}

func (t *translation) checkService(o *Object, spec *serviceSpec) {
	if !isLabel(o.Name, 63) {
		t.wrong(o, "metadata.name", "%q: the name of a Service has letters, digits and \"-\", at most 63", o.Name)
	}
	if spec.SessionAffinity == "ClientIP" {
		t.refuse(o, "spec.sessionAffinity", "ClientIP: the consistentHash of a DestinationRule takes its place")
	}
	if spec.InternalTrafficPolicy == "Local" {
		t.refuse(o, "spec.internalTrafficPolicy", "Local: a process does not know its node")
	}
	if spec.Type != "ExternalName" && spec.ExternalName != "" {
		t.wrong(o, "spec.externalName", "is for the type ExternalName")
	}
	t.checkExport(o, "metadata.annotations", exportsOf(o))
}

// externalName makes the service another name of a host in DNS.
func (t *translation) externalName(s *service, spec *serviceSpec, of []*Object) {
	if !isHost(spec.ExternalName) {
		t.wrong(s.origin, "spec.externalName", "%q is not the name of a host", spec.ExternalName)
		return
	}
	for _, o := range of {
		t.warn(o, "metadata.labels", "has no effect: %v is of type ExternalName", s.origin)
	}
	s.external, s.resolve, s.anyPort = true, resolveNames, len(s.ports) == 0
	s.workloads = []workload{{address: spec.ExternalName}}
}

func (t *translation) servicePorts(o *Object, spec *serviceSpec) (ports []port) {
	for i, p := range spec.Ports {
		at := index("spec.ports", i)
		switch {
		case p.Port < 1 || p.Port > math.MaxUint16:
			t.wrong(o, at, "port: want 1 to 65535")
			continue
		case p.Name == "" && len(spec.Ports) > 1:
			t.wrong(o, at, "a port needs a name where there are several")
		case p.Name != "" && !isLabel(p.Name, 63):
			t.wrong(o, at+".name", "%q: want lower case letters, digits and \"-\", at most 63", p.Name)
		case p.Protocol == "UDP" || p.Protocol == "SCTP":
			continue // of no concern: DNS has a port of each
		}
		for j := range ports {
			if ports[j].number == uint16(p.Port) || ports[j].name == p.Name {
				t.wrong(o, at, "its number or name is that of another port")
				break
			}
		}
		ports = append(ports, port{uint16(p.Port), p.Name, protocolOf(p), string(p.TargetPort)})
	}
	return ports
}

// protocolOf is what Istio takes the protocol of a port for: appProtocol, else the name up to a "-". Empty: not said.
func protocolOf(p servicePort) string {
	name, _, _ := strings.Cut(p.Name, "-")
	switch word := strings.ToUpper(cmp.Or(p.AppProtocol, name)); word {
	case "KUBERNETES.IO/H2C":
		return "HTTP2"
	case "KUBERNETES.IO/WS":
		return "HTTP"
	case "KUBERNETES.IO/WSS":
		return "HTTPS"
	case "HTTP", "HTTP2", "HTTPS", "GRPC", "TLS", "TCP", "MONGO", "REDIS", "MYSQL":
		return word
	}
	if strings.HasPrefix(strings.ToLower(cmp.Or(p.AppProtocol, p.Name)), "grpc-web") {
		return "GRPC-WEB"
	}
	return ""
}
