package manifest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// registry are the services that the manifests define, as this process sees them.
type registry struct {
	hosts     map[string]*service // by full name; "*.example.com" too
	names     map[string]*service // by every alias that is no wildcard
	wildcards map[string]*service // ".example.com" of "*.example.com"
}

// service is a service that a ServiceEntry or a Service defines.
type service struct {
	host      string // in lower case; "*.example.com"
	origin    *Object
	field     string // of the origin: where the host is
	ports     []port
	external  bool // not of the mesh
	anyPort   bool // every port is there, under the same number
	resolve   resolve
	sans      []string // names or identities of which a server must have one
	aliases   []string // names by which it is called
	workloads []workload
}

// resolve says how the endpoints of a service are found.
type resolve uint8

const (
	resolveNone  resolve = iota // its workloads have addresses
	resolveNames                // its workloads have names, which are looked up again and again; without any, its host
	resolveLate                 // its name is looked up when a connection is made
	resolveAsked                // the name that was called is
)

// port is a port of a service.
type port struct {
	number   uint16
	name     string
	protocol string // in upper case, as Istio has it: HTTP, HTTP2, GRPC, HTTPS, TLS, TCP; empty: not said
	target   string // the number, or the name, of the port of workloads; empty: the same number
}

// workload is who is behind a service.
type workload struct {
	address  string            // an IP address, a host name, or "unix:/path"
	ports    map[string]uint16 // by the names of the service's ports
	exact    bool              // there are no other ports than those
	labels   map[string]string
	locality [3]string // region, zone, subzone
	weight   uint32
	id       string
}

// service is the service of a full name, as host gives it; nil where no manifest defines it that this process sees. Endpoints
// of such a one may still come from another source.
func (t *translation) service(host string) *service {
	if s := t.state.services.hosts[host]; s != nil {
		return s
	}
	return t.state.services.wildcard(host)
}

// wildcard is the service of the longest "*.suffix" that a name is below.
func (r *registry) wildcard(name string) *service {
	if len(r.wildcards) == 0 {
		return nil
	}
	for i := range len(name) {
		if name[i] == '.' && i > 0 {
			if s := r.wildcards[name[i:]]; s != nil {
				return s
			}
		}
	}
	return nil
}

// port is the port of a number; nil where there is none.
func (s *service) port(number uint16) *port {
	for i := range s.ports {
		if s.ports[i].number == number {
			return &s.ports[i]
		}
	}
	return nil
}

// usual is the port that is meant where none is named: 80, else the first one that is not for databases and the like.
func (s *service) usual() *port {
	if p := s.port(80); p != nil {
		return p
	}
	for i := range s.ports {
		switch s.ports[i].protocol {
		case "TCP", "TLS", "MONGO", "REDIS", "MYSQL":
		default:
			return &s.ports[i]
		}
	}
	if len(s.ports) > 0 {
		return &s.ports[0]
	}
	return nil
}

// register gathers the services. Those of Kubernetes come first: a ServiceEntry for the host of one only adds to it.
func (t *translation) register() {
	t.state.services = &registry{hosts: map[string]*service{}, names: map[string]*service{}, wildcards: map[string]*service{}}
	w := t.workloads()
	t.kubernetesServices(w)
	for _, o := range t.byAge(t.objects(istioGroup, "ServiceEntry")) {
		t.serviceEntry(o, w)
	}
	for _, host := range sortedKeys(t.state.services.hosts) {
		t.name(t.state.services.hosts[host])
	}
}

// name makes a service known by its names.
func (t *translation) name(s *service) {
	r := t.state.services
	if suffix, is := strings.CutPrefix(s.host, "*"); is {
		r.wildcards[suffix] = s
		return
	}
	s.aliases = append(t.aliases(s.host), s.aliases...)
	for _, name := range s.aliases {
		if r.names[name] == nil {
			r.names[name] = s
		}
	}
}

// byAge puts objects of the own namespace before others, and then older ones before younger ones, as Istio does where two
// define the same host.
func (t *translation) byAge(objects []*Object) []*Object {
	foreign := func(o *Object) int {
		if o.Namespace == t.cfg.Namespace {
			return 0
		}
		return 1
	}
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b *Object) int {
		return cmp.Or(cmp.Compare(foreign(a), foreign(b)), a.Created.Compare(b.Created),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

// find is the service and the port that a caller means by a name; found is false where there is no such service or port. name
// is the host that was called.
func (r *registry) find(called string) (s *service, p *port, name string, found bool) {
	name, number, numbered := splitPort(called)
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if s = r.names[name]; s == nil {
		s = r.wildcard(name)
	}
	if s == nil {
		return nil, nil, name, false
	}
	switch {
	case s.anyPort:
		p = &port{number: cmp.Or(number, 80)}
	case numbered:
		p = s.port(number)
	default:
		p = s.usual()
	}
	return s, p, name, p != nil
}

// splitPort takes the port off a name; numbered is false where there is none.
func splitPort(name string) (host string, number uint16, numbered bool) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 || strings.HasSuffix(name, "]") || strings.Count(name, ":") > 1 && name[0] != '[' {
		return strings.Trim(name, "[]"), 0, false
	}
	n, err := strconv.ParseUint(name[i+1:], 10, 16)
	if err != nil {
		return name, 0, false
	}
	return strings.Trim(name[:i], "[]"), uint16(n), true
}
