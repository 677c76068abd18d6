package manifest

// registry are the services that the manifests define, as this process sees them.
type registry struct {
	hosts map[string]*service // by full name; "*.example.com" too
	names map[string]*service // by every alias
}

// service is a service that a ServiceEntry or a Service defines.
type service struct {
	host      string
	namespace string
	origin    *Object
	ports     []port
	external  bool // not of the mesh
}

// port is a port of a service.
type port struct {
	number   uint16
	name     string
	protocol string // in upper case, as Istio has it: HTTP, HTTP2, GRPC, HTTPS, TLS, TCP
	target   uint16
}

// service is the service of a full name, as host gives it; nil where no manifest defines it that this process sees. Endpoints
// of such a one may still come from another source.
func (t *translation) service(host string) *service { return t.state.services.hosts[host] }

// register gathers the services.
func (t *translation) register() {
	t.state.services = &registry{hosts: map[string]*service{}, names: map[string]*service{}}
}

// externals says how services that are not of the mesh are treated where no destination says it.
func (t *translation) externals() {}
