package consul

import (
	"errors"
	"net"
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

// reader makes instances of what Consul says of each.
type reader struct {
	warning bool
	tagged  string
}

// member is what is known of one instance.
type member struct {
	endpoint discovery.Endpoint
	state    condition
	created  uint64 // index of its registration
	connect  string // path of its identity where it proves one of Consul's CA
	bad      error  // why it cannot be used
}

// condition says whether an instance gets calls.
type condition uint8

const (
	up          condition = iota
	down                  // checks fail, or its weight is 0
	maintenance           // somebody wants it to get none
)

// member reads one. A text that names no service is none.
func (r reader) member(e *api.ServiceEntry) *member {
	e.Checks = slices.DeleteFunc(e.Checks, func(c *api.HealthCheck) bool { return c == nil }) // or its methods panic
	if e.Service == nil {
		return &member{state: down, bad: errors.New("an instance of nothing")}
	}
	in := &member{created: e.Service.CreateIndex}
	weight := r.weight(e)
	if weight == 0 {
		in.state = down
	}
	if e.Checks.AggregatedStatus() == api.HealthMaint {
		in.state = maintenance
	}
	in.endpoint = r.endpoint(e, weight)
	if name := inMesh(e.Service); in.endpoint.ID == "" && name != "" {
		in.connect = connectPath(name, e)
	}
	if in.state == up {
		in.bad = in.endpoint.Validate()
	}
	return in
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

// connectPath is the path of the identity that Consul's CA gives to the instances of a service.
func connectPath(service string, e *api.ServiceEntry) string {
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
	return path
}
