package consul

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
)

const (
	defaultTTL      = 15 * time.Second
	defaultInterval = 10 * time.Second
	defaultTimeout  = 5 * time.Second
	defaultRemove   = time.Minute // the least that Consul honours
)

// service is a registration in Consul's terms.
func service(r discovery.Registration) (*api.AgentServiceRegistration, error) {
	host, text, err := net.SplitHostPort(r.Endpoint.Addr)
	if err != nil {
		return nil, fmt.Errorf("Endpoint.Addr %q: want \"host:port\"", r.Endpoint.Addr)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("Endpoint.Addr %q: %w", r.Endpoint.Addr, err)
	}
	e := r.Endpoint
	s := &api.AgentServiceRegistration{
		ID: r.ID, Name: r.Service, Tags: slices.Clone(r.Tags), Address: host, Port: int(port), Meta: maps.Clone(e.Metadata),
		Weights: &api.AgentWeights{Passing: int(e.Share()), Warning: 1},
	}
	if s.ID == "" {
		s.ID = r.Service + "-" + e.Addr
	}
	if e.Region != "" {
		s.Locality = &api.Locality{Region: e.Region, Zone: e.Zone}
	}
	for key, value := range map[string]string{metaID: e.ID, metaZone: e.Zone, metaSub: e.SubZone} {
		if value == "" || key == metaZone && e.Region != "" {
			continue
		}
		if s.Meta == nil {
			s.Meta = make(map[string]string, 2)
		}
		s.Meta[key] = value
	}
	checks := r.Checks
	if len(checks) == 0 {
		checks = []discovery.Check{{TTL: defaultTTL}}
	}
	for i, c := range checks {
		s.Checks = append(s.Checks, check(c, fmt.Sprintf("service:%s:%d", s.ID, i+1), r.RemoveAfter))
	}
	return s, nil
}

// check is a check in Consul's terms.
func check(c discovery.Check, id string, remove time.Duration) *api.AgentServiceCheck {
	out := &api.AgentServiceCheck{
		CheckID: id, Name: c.Name, HTTP: c.HTTP, GRPC: c.GRPC, GRPCUseTLS: c.TLS, TCP: c.TCP,
		TLSServerName: c.TLSServerName, TLSSkipVerify: c.TLSSkipVerify,
	}
	kind := "http"
	switch {
	case c.TTL > 0:
		kind, out.TTL = "ttl", c.TTL.String()
	case c.GRPC != "":
		kind = "grpc"
	case c.TCP != "":
		kind, out.TCPUseTLS = "tcp", c.TLS
	}
	if c.TTL == 0 {
		out.Interval = or(c.Interval, defaultInterval).String()
		out.Timeout = or(c.Timeout, defaultTimeout).String()
	}
	if out.Name == "" {
		out.Name = kind
	}
	if remove >= 0 {
		out.DeregisterCriticalServiceAfter = or(remove, defaultRemove).String()
	}
	return out
}

func or(v, byDefault time.Duration) time.Duration {
	if v == 0 {
		return byDefault
	}
	return v
}
