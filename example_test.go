package intramesh_test

import (
	"context"
	"log"
	"net"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// The README shows these Examples; internal/repotest checks that it shows nothing else.

// Call a service over HTTP.
func Example_callHTTP() {
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: "127.0.0.1:8080"}, {Addr: "127.0.0.1:8081"}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	hc := &http.Client{Transport: c.Transport(nil)}
	resp, err := hc.Get("mesh://orders/v1/orders/7")

	if err == nil {
		resp.Body.Close()
	}
}

var (
	ctx      context.Context
	c        *client.Client
	mux      *http.ServeMux
	listener net.Listener
)

// Call a service over gRPC, with the same client.
func Example_callGRPC() {
	conn, err := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(c),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	health := healthpb.NewHealthClient(conn)
	reply, err := health.Check(ctx, &healthpb.HealthCheckRequest{})

	log.Println(reply, err)
}

// Serve HTTP, and leave without losing a request.
func Example_serveHTTP() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Addr: ":8080", Handler: mux}
	s.Attach(srv)
	go srv.ListenAndServe()

	<-ctx.Done() // SIGTERM
	err = s.Drain(context.Background())

	log.Println(err)
}

// Serve gRPC, alone or beside HTTP.
func Example_serveGRPC() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	gs := grpc.NewServer(servergrpc.ServerOptions(s)...)
	servergrpc.Attach(s, gs)
	healthpb.RegisterHealthServer(gs, servergrpc.Health(s))
	go gs.Serve(listener)

	<-ctx.Done() // SIGTERM
	err = s.Drain(context.Background())

	log.Println(err)
}
