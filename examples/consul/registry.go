package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/consul"
	"github.com/intramesh/intramesh/examples/internal/shop"
	"github.com/intramesh/intramesh/server"
)

// This file is all that a process of the shop has to do with Consul. Where the agent of its host is, it is told by
// CONSUL_HTTP_ADDR, as every tool of Consul is.

// prefix stands before the name of each service in Consul, so that the shop can be a guest of one that has an "orders".
const prefix = "shop-"

// services are those that others call.
var services = []string{"orders", "inventory", "payments", "reviews"}

// find opens the registry. The shop calls "orders", and Consul is asked for "shop-orders".
func find(_ string, log *slog.Logger) (shop.Registry, error) {
	names := map[string]consul.Query{}
	for _, service := range services {
		names[service] = consul.Query{Service: prefix + service}
	}
	return consul.New(consul.Config{Services: names, Logger: log})
}

// register announces a process. The server takes it from there: it leaves Consul when it drains.
//
// The agent sees by the first check that a process has died, and by the second that it is stuck. By the second the process
// sees as well that the agent has forgotten it: three times in that span it says that it is there.
func register(ctx context.Context, s *server.Server, plane shop.Registry, service, addr string) error {
	return s.Register(ctx, plane.(*consul.Plane), discovery.Registration{
		Service:  prefix + service,
		Endpoint: discovery.Endpoint{Addr: addr},
		Checks: []discovery.Check{
			{TCP: addr, Interval: 2 * time.Second},
			{TTL: 15 * time.Second},
		},
	})
}

// What the log of a process says of Consul, and how it is counted.
const (
	held       = "held"       // Consul did not answer, and the last endpoints of a service held
	registered = "registered" // again, by a process that the agent had forgotten
)

var records = map[string]string{
	"discovery: consul does not answer; the last endpoints hold": held,
	"discovery: consul has lost an instance; registering again":  registered,
}
