package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// This file is all that the shop has to do with the mesh: one client for each process that calls others, and one server
// for each that is called. Everything else is plain net/http and plain grpc.

// drainDelay is how long a server that is about to go keeps accepting calls, so that those who have not heard of it yet
// lose none. A registry that needs longer than a file needs more.
const drainDelay = 300 * time.Millisecond

// mesh is the client side. It returns when it knows where the services are that the process cannot start without.
func (n *node) mesh(needs ...string) (*client.Client, error) {
	file, err := discovery.NewFile(discovery.FileConfig{Path: endpointFile(n.dir)})
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Config{
		Discovery:  file,
		Resilience: policy(),
	})
	if err != nil {
		return nil, err
	}
	n.atEnd = append(n.atEnd, c.Close, file.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return c, c.Ready(ctx, needs...)
}

// policy is how calls are kept alive. What suits most services does for all of them but one: inventory answers within
// milliseconds or is stuck, so an attempt that takes a second is given up, and there are enough instances to ask more.
func policy() resilience.Config {
	inventory := resilience.Standard()
	inventory.Retry = &resilience.Retry{PerTry: time.Second, Retries: 4}
	return resilience.Config{
		Default:  resilience.Standard(),
		Services: map[string]resilience.Policy{"inventory": inventory},
	}
}

// dial is the client side for gRPC: two options more than without the mesh.
func dial(c *client.Client, service string) (*grpc.ClientConn, error) {
	return grpc.NewClient("mesh:///"+service,
		append(clientgrpc.DialOptions(c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
}

// httpService is the server side for HTTP.
func httpService(h http.Handler) (*service, error) {
	s, err := server.New(server.Config{DrainDelay: drainDelay})
	if err != nil {
		return nil, err
	}
	srv := &http.Server{Handler: h}
	s.Attach(srv)
	return &service{serve: srv.Serve, drain: s.Drain}, nil
}

// grpcService is the server side for gRPC.
func grpcService(register func(grpc.ServiceRegistrar)) (*service, error) {
	s, err := server.New(server.Config{DrainDelay: drainDelay})
	if err != nil {
		return nil, err
	}
	gs := grpc.NewServer(servergrpc.ServerOptions(s)...)
	servergrpc.Attach(s, gs)
	register(gs)
	return &service{serve: gs.Serve, drain: s.Drain}, nil
}

// fetch sends a request and reads the JSON of its answer; any status but 200 is an error.
func fetch(c *http.Client, r *http.Request, v any) error {
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", r.Method, r.URL, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(v)
}
