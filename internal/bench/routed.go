package main

import (
	"fmt"

	"github.com/intramesh/intramesh/client/traffic"
)

// versionOf labels the endpoints in turn, so that there are two versions wherever there are two endpoints.
func versionOf(i int) map[string]string {
	return map[string]string{"version": fmt.Sprintf("v%d", 1+i%2)}
}

// routed is the setup with 100 routes. The last one matches, and splits calls between the versions as their endpoints are
// in number.
func (s setup) routed() setup {
	p := traffic.Policy{Destinations: []traffic.Destination{{Service: service, Subsets: []traffic.Subset{
		{Name: "v1", Labels: versionOf(0)}, {Name: "v2", Labels: versionOf(1)},
	}}}}
	for i := range 99 {
		p.Routes = append(p.Routes, traffic.Route{
			Name: fmt.Sprintf("other-%d", i), Hosts: []string{service},
			Match: []traffic.Match{{Path: traffic.PathPrefix(fmt.Sprintf("/other/%d", i))}},
		})
	}
	v2 := uint32(s.endpoints / 2)
	p.Routes = append(p.Routes, traffic.Route{Name: "split", Hosts: []string{service}, To: []traffic.Backend{
		{Subset: "v1", Weight: uint32(s.endpoints) - v2}, {Subset: "v2", Weight: v2},
	}})
	s.traffic = p
	return s
}
