package manifest

import (
	"maps"
	"math"
	"slices"
)

const (
	serviceLabel   = "kubernetes.io/service-name"
	managedByLabel = "endpointslice.kubernetes.io/managed-by"
	regionTopology = "topology.kubernetes.io/region"
	zoneTopology   = "topology.kubernetes.io/zone"
)

// slices finds the EndpointSlices of each Service, by "namespace/name".
func (t *translation) slices() map[string][]*Object {
	of := map[string][]*Object{}
	for _, o := range t.objects(sliceGroup, "EndpointSlice") {
		name := o.Labels[serviceLabel]
		if name == "" {
			t.warn(o, "metadata.labels", "has no effect: the label %s does not name a Service", serviceLabel)
			continue
		}
		of[o.Namespace+"/"+name] = append(of[o.Namespace+"/"+name], o)
	}
	return of
}

// endpointsOf are the endpoints of a Service: those that are ready and, where none is, those that serve until they end.
func (t *translation) endpointsOf(s *service, spec *serviceSpec, of []*Object) []workload {
	family := addressType("IPv4")
	if len(spec.IPFamilies) > 0 {
		family = addressType(spec.IPFamilies[0])
	}
	var ready, ending []workload
	both := dualStack(of)
	for _, o := range of {
		slice, ok := o.Spec.(*endpointSlice)
		if !ok || both && slice.AddressType != family {
			continue
		}
		ports := t.slicePorts(o, slice, s)
		labels := sliceLabels(o)
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			if !t.checkSliceEndpoint(o, index("endpoints", i), slice, e) {
				continue
			}
			w := workload{
				address: e.Addresses[0], ports: ports, exact: true, labels: labels,
				locality: [3]string{e.DeprecatedTopology[regionTopology], zoneOf(e)},
			}
			switch c := e.Conditions; {
			case isTrue(c.Ready, true):
				ready = append(ready, w)
			case isTrue(c.Serving, false) && isTrue(c.Terminating, false):
				ending = append(ending, w)
			}
		}
	}
	if len(ready) > 0 {
		return ready
	}
	return ending
}

// dualStack says whether there are slices of both families, which list the same endpoints twice.
func dualStack(of []*Object) bool {
	seen := map[addressType]bool{}
	for _, o := range of {
		if s, ok := o.Spec.(*endpointSlice); ok {
			seen[s.AddressType] = true
		}
	}
	return seen["IPv4"] && seen["IPv6"]
}

func isTrue(b *bool, missing bool) bool {
	if b == nil {
		return missing
	}
	return *b
}

func zoneOf(e *sliceEndpoint) string {
	if e.Zone != "" {
		return e.Zone
	}
	return e.DeprecatedTopology[zoneTopology]
}

// sliceLabels are the labels of the endpoints of a slice: those of the slice itself, since their pods are not known here. So
// a slice for each version makes subsets work.
func sliceLabels(o *Object) map[string]string {
	labels := maps.Clone(o.Labels)
	delete(labels, serviceLabel)
	delete(labels, managedByLabel)
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// slicePorts are the ports of a slice by the names of the Service's.
func (t *translation) slicePorts(o *Object, slice *endpointSlice, s *service) map[string]uint16 {
	ports := map[string]uint16{}
	for i, p := range slice.Ports {
		at := index("ports", i)
		switch {
		case p.Protocol == "UDP" || p.Protocol == "SCTP":
		case p.Port == nil:
			t.refuse(o, at, "a port without a number stands for all, of which none can be called")
		case *p.Port < 1 || *p.Port > math.MaxUint16:
			t.wrong(o, at+".port", "%d: want 1 to 65535", *p.Port)
		case !slices.ContainsFunc(s.ports, func(of port) bool { return of.name == p.Name }):
			t.warn(o, at, "has no effect: %v has no port of the name %q", s.origin, p.Name)
		default:
			ports[p.Name] = uint16(*p.Port)
		}
	}
	return ports
}

func (t *translation) checkSliceEndpoint(o *Object, at string, slice *endpointSlice, e *sliceEndpoint) bool {
	if len(e.Addresses) == 0 {
		t.wrong(o, at, "addresses: at least one is needed")
		return false
	}
	is := isAddress
	if slice.AddressType == "FQDN" {
		is = isHost
	}
	for i, a := range e.Addresses {
		if !is(a) {
			t.wrong(o, index(at+".addresses", i), "%q is no address of the type %s", a, slice.AddressType)
			return false
		}
	}
	return true
}
