package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
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
	"github.com/intramesh/intramesh/telemetry"
)

// TestOutcomesOverHTTP: what the duration and the span say of how a call ended.
func TestOutcomesOverHTTP(t *testing.T) {
	arrived := make(chan context.CancelFunc, 1)
	var cancel context.CancelFunc
	h := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing":
			w.WriteHeader(404)
		case "/down":
			w.WriteHeader(503)
		case "/slow":
			(<-arrived)()
			<-r.Context().Done()
		}
	}
	for _, c := range []struct {
		name, url string
		want      string // attributes of the duration beside those of the destination
		spanError string
		retries   int64
		refusals  string
	}{
		{"success", "mesh://orders/", "http.response.status_code=200,intramesh.outcome=success", "", 0, ""},
		{"an answer", "mesh://orders/missing", "error.type=404,http.response.status_code=404,intramesh.outcome=success", "404", 0, ""},
		{"failure after retries", "mesh://orders/down", "error.type=503,http.response.status_code=503,intramesh.outcome=failure", "503", 2, ""},
		{"cancelled", "mesh://orders/slow", "error.type=canceled,intramesh.outcome=canceled", "canceled", 0, "canceled"},
		{"unknown", "mesh://nobody/", "error.type=unknown_service,intramesh.outcome=refused", "unknown_service", 0, "unknown_service"},
		{"not there", "mesh://gone/", "error.type=connect_failed,intramesh.outcome=refused", "connect_failed", 2, "connect_failed"},
	} {
		p, network := newProcess(t, telemetry.Config{}), new(memnet.Network)
		serveHTTP(t, network, "orders:1", http.HandlerFunc(h))
		rt := p.client(network, discovery.Static{"orders": {{Addr: "orders:1"}}, "gone": {{Addr: "gone:1"}}}).Transport(nil)
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		if c.name == "cancelled" {
			arrived <- cancel
		}
		req, _ := http.NewRequestWithContext(ctx, "GET", c.url, nil)
		resp, err := rt.RoundTrip(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		cancel()
		service := req.URL.Host
		got := p.collect()
		if set := only(t, c.name, counts(got["http.client.request.duration"])); !equalSets(set, c.want+",http.request.method=GET,server.address="+service) {
			t.Errorf("%s: duration with %s", c.name, set)
		}
		if n := counts(got["intramesh.client.retries"])["http.request.method=GET,server.address="+service]; n != c.retries {
			t.Errorf("%s: %d retries", c.name, n)
		}
		if c.refusals != "" {
			if set := only(t, c.name, counts(got["intramesh.client.refusals"])); !strings.Contains(set, "intramesh.reason="+c.refusals) {
				t.Errorf("%s: refusals %s", c.name, set)
			}
		}
		if n := counts(got["http.client.active_requests"])["http.request.method=GET,server.address="+service]; n != 0 {
			t.Errorf("%s: %d in flight at the end", c.name, n)
		}
		s := p.span(trace.SpanKindClient, "GET")
		if (s.Status.Code == codes.Error) != (c.spanError != "") || s.Status.Description != c.spanError {
			t.Errorf("%s: span's status %v", c.name, s.Status)
		}
		if err != nil && len(s.Events) == 0 {
			t.Errorf("%s: the error is not recorded", c.name)
		}
	}
}

// only is the key of a map that has one.
func only(t *testing.T, name string, m map[string]int64) string {
	t.Helper()
	if len(m) != 1 {
		t.Errorf("%s: %d sets of attributes: %v", name, len(m), m)
	}
	for k, n := range m {
		if n != 1 {
			t.Errorf("%s: counted %d times", name, n)
		}
		return k
	}
	return ""
}

func equalSets(a, b string) bool {
	all := make(map[string]int)
	for kv := range strings.SplitSeq(a, ",") {
		all[kv]++
	}
	for kv := range strings.SplitSeq(b, ",") {
		all[kv]--
	}
	for _, n := range all {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestOutcomesOverGRPC does the same for unary calls, on both sides.
func TestOutcomesOverGRPC(t *testing.T) {
	for _, c := range []struct {
		name           string
		err            error
		client, server string
	}{
		{"success", nil, "rpc.response.status_code=OK,intramesh.outcome=success", "rpc.response.status_code=OK,intramesh.outcome=success"},
		{"an answer", status.Error(grpccodes.NotFound, "no"), "error.type=NOT_FOUND,rpc.response.status_code=NOT_FOUND,intramesh.outcome=success",
			"rpc.response.status_code=NOT_FOUND,intramesh.outcome=success"},
		{"failure", status.Error(grpccodes.DataLoss, "no"), "error.type=DATA_LOSS,rpc.response.status_code=DATA_LOSS,intramesh.outcome=failure",
			"error.type=DATA_LOSS,rpc.response.status_code=DATA_LOSS,intramesh.outcome=failure"},
		{"no status", errors.New("no"), "error.type=UNKNOWN,rpc.response.status_code=UNKNOWN,intramesh.outcome=failure",
			"error.type=UNKNOWN,rpc.response.status_code=UNKNOWN,intramesh.outcome=failure"},
	} {
		p, q, network := newProcess(t, telemetry.Config{}), newProcess(t, telemetry.Config{}), new(memnet.Network)
		q.serveStock(network, "stock:1", &stock{check: func(context.Context) error { return c.err }})
		conn := dial(t, p.client(network, discovery.Static{"stock": {{Addr: "stock:1"}}}), "stock")
		_, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if status.Code(err) != status.Code(c.err) {
			t.Fatal(err)
		}
		const method = ",rpc.system.name=grpc,rpc.method=grpc.health.v1.Health/Check"
		if set := only(t, c.name, counts(p.collect()["rpc.client.call.duration"])); !equalSets(set, c.client+method+",server.address=stock") {
			t.Errorf("%s: client's duration with %s", c.name, set)
		}
		if set := only(t, c.name, counts(q.collect()["rpc.server.call.duration"])); !equalSets(set, c.server+method) {
			t.Errorf("%s: server's duration with %s", c.name, set)
		}
	}
}

// TestServerOutcomes: refusals, panics, and what the handler leaves.
func TestServerOutcomes(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) })
	mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for _, c := range []struct{ name, method, path, deadline, want string }{
		{"nothing written", "GET", "/orders/7", "", "http.request.method=GET,http.route=/orders/{id},http.response.status_code=200,intramesh.outcome=success"},
		{"a status", "POST", "/orders", "", "http.request.method=POST,http.route=/orders,http.response.status_code=201,intramesh.outcome=success"},
		{"no route", "GET", "/nothing", "", "http.request.method=GET,http.response.status_code=404,intramesh.outcome=success"},
		{"a method of nobody's", "FETCH", "/panic", "", "http.request.method=_OTHER,http.route=/panic,http.response.status_code=500,error.type=panic,intramesh.outcome=failure"},
		{"a panic", "GET", "/panic", "", "http.request.method=GET,http.route=/panic,http.response.status_code=500,error.type=panic,intramesh.outcome=failure"},
		{"aborted", "GET", "/abort", "", "http.request.method=GET,http.route=/abort,error.type=aborted,intramesh.outcome=failure"},
		{"refused", "GET", "/orders/7", "-1", "http.request.method=GET,http.response.status_code=504,error.type=deadline,intramesh.outcome=refused"},
	} {
		p, network := newProcess(t, telemetry.Config{}), new(memnet.Network)
		p.serveHTTP(network, "orders:1", mux)
		tr := &http.Transport{DialContext: network.DialContext, DisableKeepAlives: true}
		req, _ := http.NewRequestWithContext(t.Context(), c.method, "http://orders:1"+c.path, nil)
		if c.deadline != "" {
			req.Header.Set("X-Envoy-Expected-Rq-Timeout-Ms", c.deadline)
		}
		if resp, err := tr.RoundTrip(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if set := only(t, c.name, counts(p.collect()["http.server.request.duration"])); !equalSets(set, c.want+",url.scheme=http") {
			t.Errorf("%s: duration with %s", c.name, set)
		}
	}
}

// TestUnregisteredMethods: what a stranger calls a method is no label.
func TestUnregisteredMethods(t *testing.T) {
	p, network := newProcess(t, telemetry.Config{}), new(memnet.Network)
	opts := append(interceptors(p), grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return status.Error(grpccodes.NotFound, "no") }))
	serveGRPC(t, network, "stock:1", grpc.NewServer(opts...))
	q := newProcess(t, telemetry.Config{})
	conn := dial(t, q.client(network, discovery.Static{"stock": {{Addr: "stock:1"}}}), "stock")
	ctx := client.With(t.Context(), client.Options{NoRetry: true})
	for _, m := range []string{"/a.B/C", "/d.E/F"} {
		_ = conn.Invoke(ctx, m, &grpc_health_v1.HealthCheckRequest{}, &grpc_health_v1.HealthCheckResponse{})
	}
	got := counts(p.collect()["rpc.server.call.duration"])
	if len(got) != 1 || !strings.Contains(keyOf(got), "rpc.method=_OTHER") {
		t.Errorf("%v", got)
	}
}

func keyOf(m map[string]int64) string {
	for k := range m {
		return k
	}
	return ""
}
