package intramesh_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/consul"
	"github.com/intramesh/intramesh/discovery/manifest"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
	"github.com/intramesh/intramesh/telemetry"
)

// The README shows these Examples; internal/repotest checks that it shows nothing else.

// Split calls between two versions of a service.
func Example_routes() {
	routes, err := traffic.NewLive(traffic.Policy{
		Routes: []traffic.Route{{
			Name:  "canary",
			Hosts: []string{"orders"},
			To:    []traffic.Backend{{Subset: "v1", Weight: 90}, {Subset: "v2", Weight: 10}},
		}},
		Destinations: []traffic.Destination{{Service: "orders", Subsets: []traffic.Subset{
			{Name: "v1", Labels: map[string]string{"version": "v1"}},
			{Name: "v2", Labels: map[string]string{"version": "v2"}},
		}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.New(client.Config{Discovery: source, Traffic: routes})

	if err == nil {
		c.Close()
	}
}

// Take the policy from a folder of Istio's and the Gateway API's YAML.
func Example_yaml() {
	mesh, err := manifest.Open("mesh/")
	if err != nil {
		log.Fatal(err) // every mistake, with file, line, field and reason
	}
	defer mesh.Close()
	c, err := client.New(client.Config{Discovery: source, Traffic: mesh})

	if err == nil {
		c.Close()
	}
}

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
	ctx       context.Context
	c         *client.Client
	mux       *http.ServeMux
	listener  net.Listener
	transport *http.Transport
	existing  []grpc.DialOption
	source    discovery.Source
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

// A server registers itself in Consul, and leaves it with its drain.
func Example_register() {
	s, err := server.New(server.Config{})
	if err != nil {
		log.Fatal(err)
	}
	plane, err := consul.New(consul.Config{}) // the agent on this host, or what CONSUL_HTTP_ADDR says
	if err != nil {
		log.Fatal(err)
	}
	err = s.Register(ctx, plane, discovery.Registration{
		Service:  "orders",
		Endpoint: discovery.Endpoint{Addr: "10.0.0.7:8080"}, // where others reach it; it listens there already
	})
	if err != nil {
		log.Fatal(err)
	}
}

// One line in a program that stays as it is: its transport learns the scheme mesh.
func Example_oneLineHTTP() {
	transport.RegisterProtocol("mesh", c.Transport(nil))
}

// The policy alone on an existing gRPC connection, whose target, resolver and credentials stay as they are.
func Example_oneLineGRPC() {
	conn, err := grpc.NewClient("dns:///orders:9000", append(existing, clientgrpc.Interceptors(c)...)...)

	log.Println(conn, err)
}

// Mutual TLS and permissions, with a health probe that needs neither.
func Example_identity() {
	id, err := security.NewFiles(security.FilesConfig{ // read again when they change
		Certificate: "/run/identity/tls.crt",
		Key:         "/run/identity/tls.key",
		Bundle:      "/run/identity/ca.crt",
	})
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "127.0.0.1:8443"}}},
		Identity:  id,
		ServerID:  func(service string) string { return "spiffe://shop/" + service },
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.New(server.Config{
		Identity:  id,
		Authorize: security.AllowID("spiffe://shop/web", "spiffe://shop/admin"),
		Public:    []string{"GET /healthz", "/grpc.health.v1.Health/*"},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("GET /healthz", s.ReadyHandler())
	srv := &http.Server{Addr: ":8443", Handler: mux}
	s.Attach(srv)
	go srv.ListenAndServeTLS("", "")

	c.Close()
}

// Traces and metrics, here of the global providers.
func Example_telemetry() {
	tel, err := telemetry.New(telemetry.Config{
		TracerProvider: otel.GetTracerProvider(),
		MeterProvider:  otel.GetMeterProvider(),
		Sample:         new(0.01),
	})
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.New(client.Config{Discovery: source, Telemetry: tel})
	if err != nil {
		log.Fatal(err)
	}
	s, err := server.New(server.Config{Telemetry: tel})

	log.Println(c, s, err)
}

// Test what calls a service over HTTP.
func Example_testHTTP() {
	orders := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "a red bicycle")
	}))
	defer orders.Close()
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: orders.Listener.Addr().String()}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println(get(c))
	// Output: a red bicycle
}

// get is what somebody's service does: it calls orders.
func get(c *client.Client) string {
	resp, err := (&http.Client{Transport: c.Transport(nil)}).Get("mesh://orders/7")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

// Test what calls a service over gRPC, without a network.
func Example_testGRPC() {
	l := bufconn.Listen(64 << 10)
	gs := grpc.NewServer()
	healthpb.RegisterHealthServer(gs, health.NewServer()) // your own service
	go gs.Serve(l)
	defer gs.Stop()
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "orders:80"}}},
		Dial:      func(ctx context.Context, _ discovery.Endpoint) (net.Conn, error) { return l.DialContext(ctx) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	conn, err := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(c),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	reply, err := healthpb.NewHealthClient(conn).Check(context.Background(), &healthpb.HealthCheckRequest{})
	fmt.Println(reply.GetStatus(), err)
	// Output: SERVING <nil>
}

// Test a service together with who may call it.
func Example_testIdentity() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _ := server.PeerFrom(r.Context())
		fmt.Fprintf(w, "hello %s", peer)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}

	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()
	web, _ := authority.Identity("spiffe://shop/web")
	orders, _ := authority.Identity("spiffe://shop/orders")

	s, _ := server.New(server.Config{Identity: orders, Authorize: security.AllowID("spiffe://shop/web")})
	defer s.Close()
	srv := &http.Server{Handler: handler}
	s.Attach(srv)
	go srv.ServeTLS(listener, "", "")

	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: listener.Addr().String(), ID: "spiffe://shop/orders"}}},
		Identity:  web,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println(get(c))
	// Output: hello spiffe://shop/web
}
