package main

import (
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

// policy gives v2 so many percent of the calls, and v1 the rest.
func policy(v2 uint32) traffic.Policy {
	return traffic.Policy{
		Routes: []traffic.Route{{
			Name:  rule(v2),
			Hosts: []string{"orders"},
			To:    []traffic.Backend{{Subset: "v1", Weight: 100 - v2}, {Subset: "v2", Weight: v2}},
		}},
		// What the versions are: endpoints by their labels.
		Destinations: []traffic.Destination{{
			Service: "orders",
			Subsets: []traffic.Subset{
				{Name: "v1", Labels: map[string]string{"version": "1"}},
				{Name: "v2", Labels: map[string]string{"version": "2"}},
			},
		}},
	}
}

// program is a policy that this program changes. A client takes whatever is a traffic.Source.
type program struct {
	*traffic.Live

	servers []*orders.Server
}

func newProgram(servers []*orders.Server) (*program, error) {
	live, err := traffic.NewLive(policy(10))
	return &program{live, servers}, err
}

func (p *program) endpoints() discovery.Source { return orders.Versions(p.servers...) }

func (p *program) weigh(v2 uint32) error { return p.Set(policy(v2)) }

func (p *program) spoil() error {
	bad := policy(50)
	bad.Routes[0].To[1].Subset = "v3"
	return p.Set(bad)
}

func (*program) end() {}
