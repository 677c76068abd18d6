package telemetry_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/telemetry"
)

// TestBreakersAndEjectionsAreSeen: what a client's breaker and outlier detection do is counted, and stands in the span of
// the call that brought it about.
func TestBreakersAndEjectionsAreSeen(t *testing.T) {
	p, network := newProcess(t, telemetry.Config{}), new(memnet.Network)
	for _, addr := range []string{"a:1", "b:1"} {
		serveHTTP(t, network, addr, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	}
	c, err := client.New(client.Config{
		Telemetry: p.tel, Logger: slog.New(slog.DiscardHandler),
		Discovery: discovery.Static{"orders": {{Addr: "a:1"}, {Addr: "b:1"}}},
		Resilience: resilience.Config{Default: resilience.Policy{
			Breaker: &resilience.Breaker{MinCalls: 30, Open: time.Hour, MaxOpen: time.Hour}, Outlier: &resilience.Outlier{},
		}},
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			return network.DialContext(ctx, "tcp", e.Addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rt := c.Transport(nil)
	for range 31 {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "mesh://orders/", nil)
		if resp, err := rt.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
	}
	got := p.collect()
	events := counts(got["intramesh.events"])
	for _, want := range []string{
		"intramesh.event=endpoint_ejected,intramesh.reason=consecutive_5xx,server.address=orders",
		"intramesh.event=breaker_opened,intramesh.reason=failure_ratio,server.address=orders",
	} {
		if events[want] < 1 {
			t.Errorf("no %s among %v", want, events)
		}
	}
	for state, want := range map[string]int64{"open": 1, "closed": 0, "half_open": 0} {
		if n, ok := counts(got["intramesh.breaker.state"])["intramesh.state="+state+",server.address=orders"]; !ok || n != want {
			t.Errorf("breaker %s: %d", state, n)
		}
	}
	if n := counts(got["intramesh.endpoints"])["intramesh.state=ejected,server.address=orders"]; n != 1 {
		t.Errorf("endpoints: %v", counts(got["intramesh.endpoints"]))
	}
	refused := "http.request.method=GET,intramesh.reason=breaker_open,server.address=orders"
	if n := counts(got["intramesh.client.refusals"])[refused]; n != 1 {
		t.Errorf("refusals: %v", counts(got["intramesh.client.refusals"]))
	}
	seen := make(map[string]bool)
	for _, s := range p.all(trace.SpanKindClient, "GET") {
		for _, e := range s.Events {
			seen[e.Name] = true
		}
	}
	if !seen["intramesh.endpoint_ejected"] || !seen["intramesh.breaker_opened"] {
		t.Errorf("events of spans: %v", seen)
	}
}
