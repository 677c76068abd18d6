package telemetry_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process is one process as far as telemetry is concerned: with providers of its own, whose exporters are in memory.
type process struct {
	t      testing.TB
	tel    *telemetry.Telemetry
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
}

// newProcess fills in the providers that cfg leaves empty.
func newProcess(t testing.TB, cfg telemetry.Config) *process {
	t.Helper()
	p := &process{t: t, spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(p.spans))
	}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(p.reader))
	}
	var err error
	if p.tel, err = telemetry.New(cfg); err != nil {
		t.Fatal(err)
	}
	return p
}

// client makes a client whose services are reached over network.
func (p *process) client(network *memnet.Network, services discovery.Static) *client.Client {
	p.t.Helper()
	c, err := client.New(client.Config{
		Discovery: services, Telemetry: p.tel, Logger: slog.New(slog.DiscardHandler),
		Resilience: resilience.Config{Default: resilience.Policy{Budget: &resilience.Budget{}, Retry: &resilience.Retry{Backoff: resilience.Backoff{Base: time.Millisecond, Max: time.Millisecond}}}},
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			return network.DialContext(ctx, "tcp", e.Addr)
		},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (p *process) server() *server.Server {
	p.t.Helper()
	s, err := server.New(server.Config{Telemetry: p.tel, DrainDelay: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = s.Close() })
	return s
}

// serveHTTP serves h at addr with the process's telemetry.
func (p *process) serveHTTP(network *memnet.Network, addr string, h http.Handler) {
	p.t.Helper()
	serveHTTP(p.t, network, addr, p.server().Handler(h))
}

func serveHTTP(t testing.TB, network *memnet.Network, addr string, h http.Handler) {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-done })
}

func serveGRPC(t testing.TB, network *memnet.Network, addr string, gs *grpc.Server) {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = gs.Serve(l) }()
	t.Cleanup(func() { gs.Stop(); <-done })
}

func dial(t testing.TB, c *client.Client, service string) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient("mesh:///"+service,
		append(clientgrpc.DialOptions(c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// span finds the only span of a kind and name.
func (p *process) span(kind trace.SpanKind, name string) tracetest.SpanStub {
	p.t.Helper()
	found := p.all(kind, name)
	if len(found) != 1 {
		p.t.Fatalf("%d spans of kind %s named %q among %s", len(found), kind, name, p.names())
	}
	return found[0]
}

func (p *process) all(kind trace.SpanKind, name string) (found []tracetest.SpanStub) {
	for _, s := range p.spans.GetSpans() {
		if s.SpanKind == kind && s.Name == name {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	return found
}

func (p *process) names() (names []string) {
	for _, s := range p.spans.GetSpans() {
		names = append(names, s.SpanKind.String()+" "+s.Name)
	}
	return names
}

// attr is an attribute of a span in text; empty where there is none.
func attr(s tracetest.SpanStub, key string) string {
	for _, kv := range s.Attributes {
		if string(kv.Key) == key {
			return kv.Value.Emit()
		}
	}
	return ""
}

// childOf checks that a span continues another, in whatever process.
func childOf(t *testing.T, child, parent tracetest.SpanStub) {
	t.Helper()
	if child.Parent.SpanID() != parent.SpanContext.SpanID() || child.SpanContext.TraceID() != parent.SpanContext.TraceID() {
		t.Errorf("%q of trace %s is beneath span %s, not beneath %q (%s of trace %s)", child.Name, child.SpanContext.TraceID(),
			child.Parent.SpanID(), parent.Name, parent.SpanContext.SpanID(), parent.SpanContext.TraceID())
	}
}

// collect reads all metrics: by name, then by attributes in text.
func (p *process) collect() map[string]metricdata.Metrics {
	p.t.Helper()
	var rm metricdata.ResourceMetrics
	if err := p.reader.Collect(context.Background(), &rm); err != nil {
		p.t.Fatal(err)
	}
	all := make(map[string]metricdata.Metrics)
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			all[m.Name] = m
		}
	}
	return all
}

// counts is what a metric has for each set of attributes: the sum of a counter, the count of a histogram.
func counts(m metricdata.Metrics) map[string]int64 {
	all := make(map[string]int64)
	switch d := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			all[text(p.Attributes)] = int64(p.Count)
		}
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			all[text(p.Attributes)] = p.Value
		}
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			all[text(p.Attributes)] = int64(p.Value)
		}
	}
	return all
}

func text(s attribute.Set) string { return s.Encoded(attribute.DefaultEncoder()) }
