package telemetry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/telemetry"
)

func ExampleNew() {
	spans := tracetest.NewInMemoryExporter() // in production: an OTLP exporter and a batching processor
	tel, err := telemetry.New(telemetry.Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
		Sample:         new(1.0), // all of them, which is for examples
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	s, _ := server.New(server.Config{Telemetry: tel})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "placed") })
	srv := httptest.NewServer(s.Handler(mux))
	defer srv.Close()

	c, _ := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: strings.TrimPrefix(srv.URL, "http://")}}},
		Telemetry: tel,
	})
	defer c.Close()
	hc := &http.Client{Transport: c.Transport(nil)}
	resp, err := hc.Get("mesh://orders/orders/7")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	hc.CloseIdleConnections()

	for _, span := range spans.GetSpans() {
		fmt.Println(span.SpanKind, span.Name)
	}
	// Output:
	// server GET /orders/{id}
	// client GET attempt
	// client GET
}

// certificate stands for an identity that knows when its certificate expires.
type certificate struct{ notAfter time.Time }

func (c certificate) Expiry() time.Time { return c.notAfter }

func ExampleTelemetry_ObserveExpiry() {
	reader := sdkmetric.NewManualReader() // in production: a periodic one with an OTLP exporter
	tel, err := telemetry.New(telemetry.Config{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	if err != nil {
		fmt.Println(err)
		return
	}
	stop := tel.ObserveExpiry("spiffe://shop/orders", certificate{time.Now().Add(time.Hour)})
	defer stop()

	var all metricdata.ResourceMetrics
	_ = reader.Collect(context.Background(), &all)
	for _, m := range all.ScopeMetrics[0].Metrics {
		left := m.Data.(metricdata.Gauge[float64]).DataPoints[0].Value
		fmt.Printf("%s: %.0f min\n", m.Name, left/60)
	}
	// Output: intramesh.certificate.expiry: 60 min
}
