package servergrpc_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

// A server with an identity whose transport settings are to stay as they are.
func ExampleCredentials() {
	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()
	orders, _ := authority.Identity("/orders")
	s, err := server.New(server.Config{Identity: orders, Authorize: security.AllowID("spiffe://shop/web")})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	gs := grpc.NewServer(append(servergrpc.Interceptors(s), servergrpc.Credentials(s)...)...)
	servergrpc.Attach(s, gs)
	grpc_health_v1.RegisterHealthServer(gs, servergrpc.Health(s))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go gs.Serve(l)

	expect, _ := security.Expect("spiffe://shop/orders")
	for _, name := range []string{"/web", "/admin"} {
		id, _ := authority.Identity(name)
		cc, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(security.ClientTLS(id, expect, nil))))
		if err != nil {
			log.Fatal(err)
		}
		res, err := grpc_health_v1.NewHealthClient(cc).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
		fmt.Println(name, res.GetStatus(), status.Code(err))
		cc.Close()
	}
	// Output:
	// /web SERVING OK
	// /admin UNKNOWN PermissionDenied
}
