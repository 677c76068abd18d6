package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/server/servergrpc"
	"github.com/intramesh/intramesh/telemetry"
)

// stock is a gRPC service: Check answers by a function, Watch sends three messages.
type stock struct {
	grpc_health_v1.UnimplementedHealthServer

	check func(ctx context.Context) error
	watch error
}

func (s *stock) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	return &grpc_health_v1.HealthCheckResponse{}, s.check(ctx)
}

func (s *stock) Watch(_ *grpc_health_v1.HealthCheckRequest, ss grpc_health_v1.Health_WatchServer) error {
	for range 3 {
		if err := ss.Send(&grpc_health_v1.HealthCheckResponse{}); err != nil {
			return err
		}
	}
	return s.watch
}

func (p *process) serveStock(network *memnet.Network, addr string, s *stock) {
	p.t.Helper()
	gs := grpc.NewServer(servergrpc.ServerOptions(p.server())...)
	grpc_health_v1.RegisterHealthServer(gs, s)
	serveGRPC(p.t, network, addr, gs)
}

// shop is three processes: web calls orders over HTTP, orders calls stock over gRPC. Both servers fail once in a way that
// may be repeated.
type shop struct {
	web, orders, stock *process
	rt                 http.RoundTripper
}

func newShop(t *testing.T, cfg telemetry.Config) *shop {
	t.Helper()
	s := &shop{web: newProcess(t, cfg), orders: newProcess(t, cfg), stock: newProcess(t, cfg)}
	network := new(memnet.Network)

	var checked, placed atomic.Int64
	s.stock.serveStock(network, "stock:1", &stock{check: func(context.Context) error {
		if checked.Add(1) == 1 {
			return status.Error(grpccodes.Unavailable, "not yet")
		}
		return nil
	}})
	conn := dial(t, s.orders.client(network, discovery.Static{"stock": {{Addr: "stock:1"}}}), "stock")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		if placed.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		ctx := client.With(r.Context(), client.Options{Idempotent: true})
		if _, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}); err != nil {
			t.Errorf("check: %v", err)
		}
		_, _ = io.WriteString(w, r.Header.Get("Baggage"))
	})
	s.orders.serveHTTP(network, "orders:1", mux)
	s.rt = s.web.client(network, discovery.Static{"orders": {{Addr: "orders:1"}}}).Transport(nil)
	return s
}

func (s *shop) get(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "mesh://orders/orders/7?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestTree: one call of web's is one trace through three processes, with a retry on each of the two ways.
func TestTree(t *testing.T) {
	for _, form := range []telemetry.Propagation{telemetry.W3C, telemetry.B3, telemetry.B3Multi} {
		t.Run(string(form), func(t *testing.T) {
			s := newShop(t, telemetry.Config{Propagation: form})
			s.get(t)

			call := s.web.span(trace.SpanKindClient, "GET")
			tries := s.web.all(trace.SpanKindClient, "GET attempt")
			served := s.orders.all(trace.SpanKindServer, "GET /orders/{id}")
			rpc := s.orders.span(trace.SpanKindClient, "grpc.health.v1.Health/Check")
			rpcTries := s.orders.all(trace.SpanKindClient, "grpc.health.v1.Health/Check attempt")
			checked := s.stock.all(trace.SpanKindServer, "grpc.health.v1.Health/Check")
			if len(tries) != 2 || len(served) != 2 || len(rpcTries) != 2 || len(checked) != 2 {
				t.Fatalf("%v %v %v", s.web.names(), s.orders.names(), s.stock.names())
			}
			if call.Parent.IsValid() {
				t.Error("the call of web has a parent")
			}
			for i := range 2 {
				childOf(t, tries[i], call)
				childOf(t, served[i], tries[i])
				childOf(t, rpcTries[i], rpc)
				childOf(t, checked[i], rpcTries[i])
			}
			childOf(t, rpc, served[1])

			for _, want := range []struct{ got, want string }{
				{attr(call, "http.response.status_code"), "200"},
				{attr(call, "url.full"), "mesh://orders/orders/7?x=1"},
				{attr(call, "server.address"), "orders"},
				{attr(call, "intramesh.attempts"), "2"},
				{attr(call, "intramesh.outcome"), "success"},
				{attr(tries[0], "http.response.status_code"), "503"},
				{attr(tries[0], "error.type"), "503"},
				{attr(tries[0], "network.peer.address"), "orders"},
				{attr(tries[0], "network.peer.port"), "1"},
				{attr(tries[1], "http.request.resend_count"), "1"},
				{attr(served[1], "http.route"), "/orders/{id}"},
				{attr(served[1], "url.path"), "/orders/7"},
				{attr(served[1], "url.scheme"), "http"},
				{attr(served[1], "server.address"), "orders"},
				{attr(rpc, "rpc.system.name"), "grpc"},
				{attr(rpc, "rpc.method"), "grpc.health.v1.Health/Check"},
				{attr(rpc, "rpc.response.status_code"), "OK"},
				{attr(rpcTries[0], "rpc.response.status_code"), "UNAVAILABLE"},
				{attr(checked[0], "rpc.response.status_code"), "UNAVAILABLE"},
				{attr(checked[0], "error.type"), "UNAVAILABLE"},
			} {
				if want.got != want.want {
					t.Errorf("got %q, want %q", want.got, want.want)
				}
			}
			if call.Status.Code != codes.Unset || tries[0].Status.Code != codes.Error || checked[0].Status.Code != codes.Error {
				t.Error("status of spans")
			}
			if len(call.Events) != 1 || call.Events[0].Name != "intramesh.retry" {
				t.Errorf("events of the call: %v", call.Events)
			}
		})
	}
}

// TestStreams: a stream's span and duration last until it is over, and its outcome is the stream's.
func TestStreams(t *testing.T) {
	for name, end := range map[string]error{"OK": nil, "ABORTED": status.Error(grpccodes.Aborted, "halfway")} {
		p, network := newProcess(t, telemetry.Config{}), new(memnet.Network)
		q := newProcess(t, telemetry.Config{})
		q.serveStock(network, "stock:1", &stock{watch: end})
		conn := dial(t, p.client(network, discovery.Static{"stock": {{Addr: "stock:1"}}}), "stock")
		st, err := grpc_health_v1.NewHealthClient(conn).Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := st.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(p.spans.GetSpans()); n != 0 {
			t.Errorf("%d spans ended before the stream did", n)
		}
		if _, err := st.Recv(); status.Code(err) != status.Code(end) && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		call := p.span(trace.SpanKindClient, "grpc.health.v1.Health/Watch")
		if got := attr(call, "rpc.response.status_code"); got != name {
			t.Errorf("status %s, want %s", got, name)
		}
		found := false
		for set := range counts(p.collect()["rpc.client.call.duration"]) {
			found = found || strings.Contains(set, "rpc.response.status_code="+name)
		}
		if !found {
			t.Errorf("no duration with %s: %v", name, counts(p.collect()["rpc.client.call.duration"]))
		}
	}
}

func interceptors(p *process) []grpc.ServerOption { return servergrpc.ServerOptions(p.server()) }
