package telemetry_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/telemetry"
)

// TestAllocations pins what telemetry adds to a call that is not recorded, apart from what the call path does with the
// headers. The SDK's own instruments allocate nothing with prepared attributes.
func TestAllocations(t *testing.T) {
	sdk := func() metric.MeterProvider {
		return sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	}
	under := trace.ContextWithRemoteSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1},
	}))
	tracer := sdktrace.NewTracerProvider()
	for _, c := range []struct {
		name          string
		cfg           telemetry.Config
		ctx           context.Context
		headers       map[string][]string
		called, serve float64
	}{
		{"metrics into nothing", telemetry.Config{MeterProvider: metricnoop.NewMeterProvider()}, context.Background(), nil, 0, 0},
		{"metrics by the SDK", telemetry.Config{MeterProvider: sdk()}, context.Background(), nil, 0, 0},
		// The header of a new trace. On the server side: that, what the context carries, and the context.
		{"a trace begins", telemetry.Config{MeterProvider: sdk(), TracerProvider: tracer, Sample: new(0.0)}, context.Background(), nil, 1, 3},
		{"a trace passes", telemetry.Config{MeterProvider: sdk(), TracerProvider: tracer, Sample: new(0.0)}, handlerContext(t), map[string][]string{"traceparent": {silenced}}, 0, 2},
		// A span that is not ours does not know its header.
		{"a stranger's trace passes", telemetry.Config{MeterProvider: sdk()}, under, nil, 1, 0},
	} {
		tel, err := telemetry.New(c.cfg)
		if err != nil {
			t.Fatal(err)
		}
		o := tel.Core()
		for _, protocol := range []call.Protocol{call.HTTP, call.GRPC} {
			x := &observed{}
			if n := testing.AllocsPerRun(100, func() { x.call(c.ctx, o, protocol) }); n != c.called {
				t.Errorf("%s, a %s call: %v allocations, want %v", c.name, protocol, n, c.called)
			}
			req := &request{headers: c.headers}
			if n := testing.AllocsPerRun(100, func() { x.serve(o, req, protocol) }); n != c.serve {
				t.Errorf("%s, a %s request: %v allocations, want %v", c.name, protocol, n, c.serve)
			}
		}
	}
}

// handlerContext is what a handler of a request in an unrecorded trace gets.
func handlerContext(t *testing.T) context.Context {
	tel, err := telemetry.New(telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := call.Served{Ctx: context.Background(), Method: "GET", Request: &request{headers: map[string][]string{"traceparent": {silenced}}}}
	tel.Core().BeginServe(&s)
	return s.Ctx
}

// observed has the room that the call path has in its own structs.
type observed struct {
	c      call.Call
	a      call.Attempt
	w, aw  call.Watch
	room   [1]call.Field
	served call.Served
	req    request
}

func (x *observed) call(ctx context.Context, o call.Observer, p call.Protocol) {
	x.c = call.Call{Ctx: ctx, Protocol: p, Service: "orders", Method: "GET", Tries: 1, Start: time.Now()}
	x.a, x.w, x.aw = call.Attempt{Number: 1}, call.Watch{Fields: x.room[:0]}, call.Watch{}
	if p == call.HTTP {
		x.a.Outcome.Status = 200
	}
	o.BeginCall(&x.c, &x.w, &x.req)
	o.BeginAttempt(ctx, &x.c, &x.w, &x.a, &x.aw)
	o.Reply(&x.c, &x.w, &x.a, nil)
	o.EndAttempt(&x.c, &x.w, &x.a, &x.aw)
	o.EndCall(&x.c, &x.w, &x.a, nil)
}

func (x *observed) serve(o call.Observer, req call.Request, p call.Protocol) {
	x.served = call.Served{Ctx: context.Background(), Protocol: p, Method: "GET", Request: req, Start: time.Now(), Route: "GET /orders/{id}"}
	o.BeginServe(&x.served)
	o.EndServe(&x.served)
}

func BenchmarkCall(b *testing.B) {
	for name, cfg := range map[string]telemetry.Config{
		"nothing": {},
		"metrics": {MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))},
		"unrecorded": {
			MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
			TracerProvider: sdktrace.NewTracerProvider(), Sample: new(0.0),
		},
		"unrecorded, the SDK asked": {TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))},
		"recorded":                  {TracerProvider: sdktrace.NewTracerProvider(), Sample: new(1.0)},
	} {
		b.Run(name, func(b *testing.B) {
			tel, err := telemetry.New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			o := tel.Core()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				x := &observed{}
				for pb.Next() {
					x.call(context.Background(), o, call.GRPC)
				}
			})
		})
	}
}
