package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

// providers are the program's own choice of SDK and exporters: here OTLP over HTTP. Leave the endpoint out and the
// exporters read OTEL_EXPORTER_OTLP_ENDPOINT.
type providers struct {
	traces  *trace.TracerProvider
	metrics *metric.MeterProvider
}

func newProviders(ctx context.Context, collector string) (*providers, error) {
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(collector), otlptracehttp.WithInsecure())
	if err != nil {
		return nil, err
	}
	numbers, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(collector), otlpmetrichttp.WithInsecure())
	if err != nil {
		return nil, err
	}
	return &providers{
		// Batching and reading now and then are what keeps a slow collector from slowing calls.
		traces:  trace.NewTracerProvider(trace.WithBatcher(spans)),
		metrics: metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(numbers))),
	}, nil
}

// flush sends what is left. Call it when the process ends.
func (p *providers) flush(ctx context.Context) error {
	return errors.Join(p.traces.Shutdown(ctx), p.metrics.Shutdown(ctx))
}
