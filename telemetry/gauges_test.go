package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/telemetry"
)

func TestGauges(t *testing.T) {
	p, network := newProcess(t, telemetry.Config{}), new(memnet.Network)
	c := p.client(network, discovery.Static{"orders": {{Addr: "a:1"}, {Addr: "b:1"}}})
	if err := c.Ready(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	stop := p.tel.ObserveExpiry("orders", expires(time.Now().Add(time.Hour+time.Minute)))
	got := p.collect()
	if n := counts(got["intramesh.endpoints"])["intramesh.state=ready,server.address=orders"]; n != 2 {
		t.Errorf("endpoints: %v", counts(got["intramesh.endpoints"]))
	}
	if n := counts(got["intramesh.certificate.expiry"])["intramesh.identity=orders"]; n < 3600 {
		t.Errorf("expiry: %v", counts(got["intramesh.certificate.expiry"]))
	}
	if age, ok := counts(got["intramesh.config.age"])["intramesh.config=resilience"]; !ok || age < 0 || age > 3600 {
		t.Errorf("age: %v", counts(got["intramesh.config.age"]))
	}
	stop()
	_ = c.Close()
	for name, m := range p.collect() {
		if len(counts(m)) > 0 {
			t.Errorf("%s is still shown after the end: %v", name, counts(m))
		}
	}
}

func TestInFlight(t *testing.T) {
	p, network := newProcess(t, telemetry.Config{}), new(memnet.Network)
	release := make(chan struct{})
	p.serveHTTP(network, "orders:1", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-release
	}))
	rt := p.client(network, discovery.Static{"orders": {{Addr: "orders:1"}}}).Transport(nil)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "mesh://orders/", nil)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	got := p.collect()
	for name, set := range map[string]string{
		"http.client.active_requests": "http.request.method=GET,server.address=orders",
		"http.server.active_requests": "http.request.method=GET,url.scheme=http",
	} {
		if n := counts(got[name])[set]; n != 1 {
			t.Errorf("%s: %v", name, counts(got[name]))
		}
	}
	if n := len(counts(got["http.client.request.duration"])); n != 1 {
		t.Error("the duration waits for the body")
	}
	close(release)
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	got = p.collect()
	if n := counts(got["http.client.active_requests"])["http.request.method=GET,server.address=orders"]; n != 0 {
		t.Errorf("%d in flight when the body is over", n)
	}
}

func TestEvents(t *testing.T) {
	p := newProcess(t, telemetry.Config{})
	o := p.tel.Core()
	c := call.Call{Ctx: context.Background(), Service: "orders", Method: "GET", Tries: 1}
	var w call.Watch
	o.BeginCall(&c, &w, &request{})
	o.Event(call.Event{Kind: call.BreakerOpened, Time: time.Now(), Service: "orders", Reason: call.FailureRatio, Ctx: c.Ctx})
	o.Event(call.Event{Kind: call.EndpointEjected, Time: time.Now(), Service: "orders", Endpoint: "a:1", Reason: call.Consecutive5xx})
	o.Event(call.Event{Kind: call.PolicyRefused, Time: time.Now(), Reason: call.BadPolicy})
	o.Reply(&c, &w, nil, nil)
	o.EndCall(&c, &w, nil, nil)

	got := p.collect()
	events := counts(got["intramesh.events"])
	for _, want := range []string{
		"intramesh.event=breaker_opened,intramesh.reason=failure_ratio,server.address=orders",
		"intramesh.event=endpoint_ejected,intramesh.reason=consecutive_5xx,server.address=orders",
		"intramesh.event=policy_refused,intramesh.reason=bad_policy",
	} {
		if events[want] != 1 {
			t.Errorf("no %s among %v", want, events)
		}
	}
	if s := p.span(trace.SpanKindClient, "GET"); len(s.Events) != 1 || s.Events[0].Name != "intramesh.breaker_opened" {
		t.Errorf("events of the span: %v", s.Events)
	}
}

func TestRequestLog(t *testing.T) {
	var log bytes.Buffer
	p := newProcess(t, telemetry.Config{LogRequests: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	o := p.tel.Core()
	c := call.Call{Ctx: context.Background(), Service: "orders", Method: "GET", Tries: 1, Start: time.Now()}
	one(o, c, call.Outcome{Status: 200}, nil)
	one(o, c, call.Outcome{Err: errors.New("reset")}, &call.Error{Reason: call.Broken, Code: call.Unavailable, Err: errors.New("reset")})
	s := call.Served{Ctx: context.Background(), Method: "GET", Scheme: "http", Status: 500, Start: time.Now(), Peer: "spiffe://shop/web",
		Request: &request{headers: map[string][]string{"traceparent": {silenced}}, detail: call.Detail{Query: "secret=1"}}}
	o.BeginServe(&s)
	o.EndServe(&s)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, want := range [][]string{
		{"level=INFO", `msg="intramesh: call"`, "service=orders", "outcome=success", "status=200", "endpoint=10.0.0.1:80",
			"trace_id=" + p.spans.GetSpans()[1].SpanContext.TraceID().String()},
		{"level=WARN", "outcome=failure", "reason=broken", "error="},
		{"level=WARN", `msg="intramesh: request"`, "status=500", "peer=spiffe://shop/web", "trace_id=" + traceID},
	} {
		for _, part := range want {
			if i >= len(lines) || !strings.Contains(lines[i], part) {
				t.Errorf("line %d has no %s: %s", i, part, log.String())
			}
		}
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("a query was logged: %s", log.String())
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []telemetry.Config{
		{Propagation: "jaeger"}, {Sample: new(-0.1)}, {Sample: new(1.1)},
	} {
		if _, err := telemetry.New(cfg); err == nil || !strings.HasPrefix(err.Error(), "telemetry: Config.") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

// TestIdentityExpiry: a client shows when its own certificate expires, by itself.
func TestIdentityExpiry(t *testing.T) {
	p := newProcess(t, telemetry.Config{})
	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	id, err := authority.Identity("/web")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = authority.Close() })
	c, err := client.New(client.Config{
		Telemetry: p.tel, Identity: id, Discovery: discovery.Static{"orders": {{Addr: "a:1", ID: "spiffe://shop/orders"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if left, ok := counts(p.collect()["intramesh.certificate.expiry"])["intramesh.identity=client"]; !ok || left <= 0 {
		t.Errorf("expires in %d s", left)
	}
}
