package consul

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
)

// Metadata for what Consul has no field for: which SPIFFE ID an instance proves, a subzone, and a zone without a region, which
// Consul refuses in a locality. Register writes them, and they are no labels.
const (
	metaID   = "spiffe-id"
	metaZone = "locality-zone"
	metaSub  = "locality-subzone"
)

// reader makes endpoints of what Consul says.
type reader struct {
	warning     bool
	tagged      string
	trustDomain string // of Consul's own CA; empty: not known
}

// reading is what was read.
type reading struct {
	endpoints []discovery.Endpoint // sorted by address
	bad       []error              // instances that cannot be used
}

// read makes endpoints of all instances that should be called. Where several stand at one address, the one that was
// registered last holds: what was there before is gone and has not been removed yet.
func (r reader) read(entries []*api.ServiceEntry) reading {
	var out reading
	newest := make(map[string]uint64, len(entries))
	at := make(map[string]int, len(entries))
	for _, e := range entries {
		if e == nil || e.Service == nil {
			continue
		}
		weight := r.weight(e)
		if weight == 0 {
			continue
		}
		p := r.endpoint(e, weight)
		if err := p.Validate(); err != nil {
			out.bad = append(out.bad, err)
			continue
		}
		i, twice := at[p.Addr]
		switch {
		case !twice:
			at[p.Addr] = len(out.endpoints)
			newest[p.Addr] = e.Service.CreateIndex
			out.endpoints = append(out.endpoints, p)
		case e.Service.CreateIndex > newest[p.Addr]:
			newest[p.Addr] = e.Service.CreateIndex
			out.endpoints[i] = p
		}
	}
	slices.SortFunc(out.endpoints, func(a, b discovery.Endpoint) int { return cmp.Compare(a.Addr, b.Addr) })
	return out
}

// weight is an instance's share of the traffic by its health; 0: it gets none.
func (r reader) weight(e *api.ServiceEntry) uint32 {
	var w int
	e.Checks = slices.DeleteFunc(e.Checks, func(c *api.HealthCheck) bool { return c == nil }) // AggregatedStatus would panic
	switch e.Checks.AggregatedStatus() {
	case api.HealthPassing:
		w = e.Service.Weights.Passing
		if w == 0 {
			w = 1 // Consul's default, which old registrations do not spell out
		}
	case api.HealthWarning:
		if r.warning {
			w = e.Service.Weights.Warning
		}
	}
	return uint32(min(max(w, 0), 65535)) // Consul's own limit
}

func (r reader) endpoint(e *api.ServiceEntry, weight uint32) discovery.Endpoint {
	p := discovery.Endpoint{Addr: r.address(e), Weight: weight, Metadata: labels(e.Service), ID: e.Service.Meta[metaID]}
	at := e.Service.Locality
	if at == nil && e.Node != nil {
		at = e.Node.Locality
	}
	if at != nil {
		p.Zone, p.Region = at.Zone, at.Region
	}
	if zone := e.Service.Meta[metaZone]; zone != "" {
		p.Zone, p.Region = zone, ""
	}
	p.SubZone = e.Service.Meta[metaSub]
	if name := inMesh(e.Service); p.ID == "" && name != "" && r.trustDomain != "" {
		p.ID = connectID(r.trustDomain, name, e)
	}
	return p
}

func (r reader) address(e *api.ServiceEntry) string {
	s := e.Service
	if s.SocketPath != "" && s.Port == 0 {
		return "unix:" + s.SocketPath
	}
	host, port := s.Address, s.Port
	if host == "" && e.Node != nil {
		host = e.Node.Address
		if a := e.Node.TaggedAddresses[r.tagged]; a != "" && r.tagged != "" {
			host = a
		}
	}
	if a, ok := s.TaggedAddresses[r.tagged]; ok && r.tagged != "" && a.Address != "" {
		host = a.Address
		if a.Port != 0 {
			port = a.Port
		}
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// labels are an instance's metadata and tags: "version=v1" is the label version with the value v1, and a plain tag a label
// with the value "true". Metadata goes before tags.
func labels(s *api.AgentService) map[string]string {
	all := make(map[string]string, len(s.Tags)+len(s.Meta))
	for _, tag := range s.Tags {
		if k, v, ok := strings.Cut(tag, "="); ok {
			all[k] = v
		} else {
			all[tag] = "true"
		}
	}
	for k, v := range s.Meta {
		if k != metaID && k != metaZone && k != metaSub {
			all[k] = v
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// inMesh is the service whose identity an instance proves in Consul's own mesh: its own where it is Connect native, and
// where it is a sidecar that of the service behind it. Empty: it is not in that mesh.
func inMesh(s *api.AgentService) string {
	switch {
	case s.Connect != nil && s.Connect.Native:
		return s.Service
	case s.Kind == api.ServiceKindConnectProxy && s.Proxy != nil:
		return s.Proxy.DestinationServiceName
	}
	return ""
}

// connectID is the identity that Consul's CA gives to the instances of a service.
func connectID(trustDomain, service string, e *api.ServiceEntry) string {
	ns, dc := e.Service.Namespace, e.Service.Datacenter
	if ns == "" {
		ns = "default"
	}
	if dc == "" && e.Node != nil {
		dc = e.Node.Datacenter
	}
	path := "/ns/" + ns + "/dc/" + dc + "/svc/" + service
	if p := e.Service.Partition; p != "" && p != "default" {
		path = "/ap/" + p + path
	}
	return (&url.URL{Scheme: "spiffe", Host: trustDomain, Path: path}).String()
}
