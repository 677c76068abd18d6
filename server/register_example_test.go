package server_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/server"
)

// board is a registry in memory. In earnest it is a consul.Plane, or what you have.
type board struct{ instances map[string]string }

func (b board) Register(_ context.Context, r discovery.Registration) (discovery.Lease, error) {
	b.instances[r.Service] = "up"
	return notice{b, r}, nil
}

// notice is an instance on the board.
type notice struct {
	board
	discovery.Registration
}

func (n notice) Drain(context.Context) error {
	n.instances[n.Service] = "draining"
	return nil
}

func (n notice) Leave(context.Context) error {
	fmt.Println("was", n.instances[n.Service], "ready:", n.Ready())
	delete(n.instances, n.Service)
	return nil
}

// A server registers when its listener is open, and leaves the registry with its drain.
func ExampleServer_Register() {
	s, err := server.New(server.Config{DrainDelay: -1}) // services that others find keep the default of 5 s
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Handler: http.NotFoundHandler()}
	s.Attach(srv)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go srv.Serve(l)

	registry := board{make(map[string]string)}
	err = s.Register(context.Background(), registry, discovery.Registration{
		Service:  "orders",
		Endpoint: discovery.Endpoint{Addr: l.Addr().String()},
	})
	fmt.Println(registry.instances, err)

	err = s.Drain(context.Background()) // when the process is to end
	fmt.Println(registry.instances, err)
	// Output:
	// map[orders:up] <nil>
	// was draining ready: false
	// map[] <nil>
}
