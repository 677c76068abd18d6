package manifest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/manifest"
	"github.com/intramesh/intramesh/internal/memnet"
)

// twoVersions are two services, of which each has an endpoint for HTTP and one for gRPC, and the routes in front of them.
const twoVersions = `
apiVersion: v1
kind: Service
metadata: {name: orders}
spec: {ports: [{name: http, port: 80}, {name: grpc, port: 9090}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-1, labels: {kubernetes.io/service-name: orders}}
addressType: IPv4
ports: [{name: http, port: 8080}, {name: grpc, port: 9091}]
endpoints: [{addresses: [10.0.0.1]}]
---
apiVersion: v1
kind: Service
metadata: {name: orders-v2}
spec: {ports: [{name: http, port: 80}, {name: grpc, port: 9090}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-v2-1, labels: {kubernetes.io/service-name: orders-v2}}
addressType: IPv4
ports: [{name: http, port: 8080}, {name: grpc, port: 9091}]
endpoints: [{addresses: [10.0.0.2]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: orders}
spec:
  parentRefs: [{group: "", kind: Service, name: orders, port: 80}]
  rules:
  - matches: [{path: {value: /v1}}]
    backendRefs:
    - {name: orders, port: 80, weight: 3}
    - {name: orders-v2, port: 80}
  - matches:
    - path: {value: /v1}
      headers: [{name: x-tester, value: "7"}]
    filters:
    - type: URLRewrite
      urlRewrite: {hostname: next.example.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
    - type: RequestHeaderModifier
      requestHeaderModifier: {set: [{name: x-from, value: route}]}
    backendRefs: [{name: orders-v2, port: 80}]
  - matches: [{path: {type: Exact, value: /old}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /v1/new}, statusCode: 301}}]
  - matches: [{path: {value: /broken}}]
    backendRefs: [{name: orders-v2, port: 81}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: orders}
spec:
  parentRefs: [{group: "", kind: Service, name: orders, sectionName: grpc}]
  rules:
  - matches: [{method: {service: grpc.health.v1.Health, method: Check}}]
    backendRefs: [{name: orders, port: 9090}]
  - matches:
    - method: {service: grpc.health.v1.Health, method: Check}
      headers: [{name: x-tester, value: "7"}]
    backendRefs: [{name: orders-v2, port: 9090}]
`

// routed is a client of a folder of manifests, and the servers that they name.
type routed struct {
	t      *testing.T
	dir    string
	client *client.Client
}

func newRouted(t *testing.T) *routed {
	t.Helper()
	var network memnet.Network
	for addr, name := range map[string]string{"10.0.0.1": "v1", "10.0.0.2": "v2"} {
		serveHTTP(t, &network, addr+":8080", name)
		serveHealth(t, &network, addr+":9091", name == "v1")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "orders.yaml"), []byte(twoVersions), 0o600); err != nil {
		t.Fatal(err)
	}
	plane, err := manifest.New(manifest.Config{Paths: []string{dir}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plane.Close() })
	c, err := client.New(client.Config{
		Discovery: plane, Traffic: plane,
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			return network.DialContext(ctx, "tcp", e.Addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &routed{t, dir, c}
}

func serveHTTP(t *testing.T, network *memnet.Network, addr, name string) {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s %s", name, r.Host, r.URL.Path, r.Header.Get("x-from"))
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
}

func serveHealth(t *testing.T, network *memnet.Network, addr string, serving bool) {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	h := health.NewServer()
	if !serving {
		h.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	}
	srv := grpc.NewServer()
	healthpb.RegisterHealthServer(srv, h)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(srv.Stop)
}

// get is the status and body of an answer, and where it leads.
func (r *routed) get(url string, header ...string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.client.Transport(nil).RoundTrip(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(strings.Fields(fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Location"), " ", string(body))), " ")
}

// TestGatewayClient sends requests through a client that has read a folder.
func TestGatewayClient(t *testing.T) {
	r := newRouted(t)
	shares := map[string]int{}
	for range 400 { // shares are exact but for log2(400)+1 requests
		shares[r.get("http://orders/v1/x")]++
	}
	if n := shares["200 v1 orders /v1/x"]; n < 290 || n > 310 || n+shares["200 v2 orders /v1/x"] != 400 {
		t.Errorf("3 to 1, and they are %v", shares)
	}
	for _, c := range []struct {
		want, url string
		header    []string
	}{
		{"200 v2 next.example.com /x route", "http://orders/v1/x", []string{"x-tester", "7"}},
		{"200 v2 next.example.com / route", "mesh://orders.default/v1", []string{"x-tester", "7"}},
		{"301 http://orders/v1/new", "http://orders/old", nil},
		{"500 HTTPRoute/orders: no valid backend", "http://orders/broken", nil},
		{"404 no rule for requests to orders", "http://orders/else", nil},
		{"200 v2 orders-v2 /else", "http://orders-v2/else", nil},
	} {
		if got := r.get(c.url, c.header...); got != c.want {
			t.Errorf("%s %v: got %q, want %q", c.url, c.header, got, c.want)
		}
	}
}

// TestGatewayClientGRPC does it over gRPC.
func TestGatewayClientGRPC(t *testing.T) {
	r := newRouted(t)
	options := append(clientgrpc.DialOptions(r.client), grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient("mesh:///orders:9090", options...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	h := healthpb.NewHealthClient(conn)
	tester := metadata.AppendToOutgoingContext(t.Context(), "x-tester", "7")
	for ctx, want := range map[context.Context]healthpb.HealthCheckResponse_ServingStatus{
		t.Context(): healthpb.HealthCheckResponse_SERVING, tester: healthpb.HealthCheckResponse_NOT_SERVING,
	} {
		resp, err := h.Check(ctx, &healthpb.HealthCheckRequest{})
		if err != nil || resp.Status != want {
			t.Errorf("got %v %v, want %v", resp, err, want)
		}
	}
	if _, err := h.List(t.Context(), &healthpb.HealthListRequest{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("a call that no rule matches: %v: %v", status.Code(err), err)
	}
}
