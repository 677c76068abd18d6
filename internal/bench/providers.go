package main

import (
	"context"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// share is that of the calls that are traced.
const share = 0.01

// providers are OpenTelemetry's SDK as a service has it, but for the collector: spans are batched and thrown away, and
// nobody reads the metrics while calls are measured.
type providers struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
}

func newProviders(r *rig, sampler sdktrace.Sampler) providers {
	p := providers{
		traces:  sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithBatcher(tracetest.NewNoopExporter())),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	}
	r.onClose(func() {
		_ = p.traces.Shutdown(context.Background())
		_ = p.metrics.Shutdown(context.Background())
	})
	return p
}
