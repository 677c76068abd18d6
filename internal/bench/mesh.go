package main

import (
	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
)

// meshClient has everything switched on that a client has.
func meshClient(r *rig, addrs []string) (*client.Client, error) {
	var endpoints []discovery.Endpoint
	for _, a := range addrs {
		endpoints = append(endpoints, discovery.Endpoint{Addr: a})
	}
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{service: endpoints},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		return nil, err
	}
	r.onClose(func() { _ = c.Close() })
	return c, nil
}

// meshServer is one server for all endpoints: they are listeners of the same process anyway.
func meshServer(r *rig) (*server.Server, error) {
	s, err := server.New(server.Config{})
	if err != nil {
		return nil, err
	}
	r.onClose(func() { _ = s.Close() })
	return s, nil
}
