package clientgrpc_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/test/bufconn"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// serve runs a gRPC server in memory.
func serve(register func(*grpc.Server), opts ...grpc.ServerOption) (*bufconn.Listener, *grpc.Server) {
	l, gs := bufconn.Listen(64<<10), grpc.NewServer(opts...)
	register(gs)
	go gs.Serve(l)
	return l, gs
}

func registerHealth(gs *grpc.Server) { grpc_health_v1.RegisterHealthServer(gs, health.NewServer()) }

func ExampleDialOptions() {
	l, gs := serve(registerHealth)
	defer gs.Stop()
	c, _ := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: "10.0.0.1:80"}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
		Dial:       func(ctx context.Context, _ discovery.Endpoint) (net.Conn, error) { return l.DialContext(ctx) },
	})
	defer c.Close()
	conn, _ := grpc.NewClient("mesh:///orders",
		append(clientgrpc.DialOptions(c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	defer conn.Close()
	r, err := grpc_health_v1.NewHealthClient(conn).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	fmt.Println(r.GetStatus(), err)
	// Output: SERVING <nil>
}

// A connection that exists keeps its target, its resolver and its balancer; the policy is put in front of them.
func ExampleInterceptors() {
	l, gs := serve(registerHealth)
	defer gs.Stop()
	c, _ := client.New(client.Config{Resilience: resilience.Config{Default: resilience.Standard()}})
	defer c.Close()
	conn, _ := grpc.NewClient("passthrough:///orders:9000", append(clientgrpc.Interceptors(c),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))...)
	defer conn.Close()
	var info client.Info
	ctx := client.With(context.Background(), client.Options{Info: &info})
	r, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	fmt.Println(r.GetStatus(), err, info.Service, len(info.Attempts))
	// Output: SERVING <nil> orders:9000 1
}

// A destination outside of the mesh is reached over TLS, as the policy says, and all others in plain text. The policy can
// change that while the process runs.
func ExampleCredentials() {
	srv := httptest.NewUnstartedServer(nil) // for its certificate: it is for example.com
	srv.StartTLS()
	defer srv.Close()
	file, _ := os.CreateTemp("", "ca-*.pem")
	defer os.Remove(file.Name())
	pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	file.Close()

	l, gs := serve(registerHealth, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: srv.TLS.Certificates})))
	defer gs.Stop()
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"payments": {{Addr: "203.0.113.1:443"}}},
		Traffic: traffic.Policy{Destinations: []traffic.Destination{{Service: "payments", Settings: traffic.Settings{
			TLS:         &traffic.TLS{Mode: traffic.TLSSimple, ServerName: "example.com", CA: file.Name()},
			Connections: &traffic.Connections{MaxAge: time.Hour},
		}}}},
		Dial: func(ctx context.Context, _ discovery.Endpoint) (net.Conn, error) { return l.DialContext(ctx) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	conn, _ := grpc.NewClient("mesh:///payments", append(clientgrpc.DialOptions(c),
		grpc.WithTransportCredentials(clientgrpc.Credentials(c)))...)
	defer conn.Close()
	var p peer.Peer
	r, err := grpc_health_v1.NewHealthClient(conn).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{}, grpc.Peer(&p))
	fmt.Println(r.GetStatus(), err)
	fmt.Println(p.AuthInfo.(clientgrpc.TLSInfo).State.PeerCertificates[0].DNSNames)
	// Output:
	// SERVING <nil>
	// [example.com *.example.com]
}

// To test a service of your own together with its callers, serve it in memory and let the endpoints lead there: what
// calls it needs no change, and one of two instances may as well not exist.
func Example_testYourService() {
	l, gs := serve(registerHealth) // your own registration
	defer gs.Stop()
	dial := func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
		if e.Addr == "dead:80" {
			return nil, fmt.Errorf("connection refused")
		}
		return l.DialContext(ctx)
	}
	c, _ := client.New(client.Config{Discovery: discovery.Static{"orders": {{Addr: "dead:80"}, {Addr: "live:80"}}}, Dial: dial})
	defer c.Close()
	conn, _ := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	defer conn.Close()
	for range 3 {
		r, err := grpc_health_v1.NewHealthClient(conn).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
		fmt.Println(r.GetStatus(), err)
	}
	// Output:
	// SERVING <nil>
	// SERVING <nil>
	// SERVING <nil>
}
