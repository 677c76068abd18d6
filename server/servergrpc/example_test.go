package servergrpc_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

func ExampleServerOptions() {
	s, err := server.New(server.Config{DrainDelay: -1}) // services that others find keep the default of 5 s
	if err != nil {
		log.Fatal(err)
	}
	gs := grpc.NewServer(servergrpc.ServerOptions(s)...)
	servergrpc.Attach(s, gs)
	grpc_health_v1.RegisterHealthServer(gs, servergrpc.Health(s))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go gs.Serve(l)

	cc, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	res, err := grpc_health_v1.NewHealthClient(cc).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	fmt.Println(res.GetStatus(), err)
	cc.Close()
	fmt.Println(s.Drain(context.Background()))
	// Output:
	// SERVING <nil>
	// <nil>
}

// A server whose transport settings are to stay as they are takes the interceptors alone.
func ExampleInterceptors() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	gs := grpc.NewServer(append(servergrpc.Interceptors(s), grpc.MaxRecvMsgSize(16<<20))...)
	defer gs.Stop()
	fmt.Println(len(gs.GetServiceInfo()))
	// Output: 0
}

func ExampleTransport() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	opts := append(servergrpc.Interceptors(s), servergrpc.Transport{Workers: 128, PingTime: -1}.Options()...)
	fmt.Println(len(opts), "options")
	// Output: 3 options
}
