package telemetry

import (
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Config says what is told, and to whom. What is left empty is off.
type Config struct {
	// TracerProvider makes the spans. Nil: no spans are made and no trace is begun; one that arrives is passed on all the
	// same. The global one is never used by itself: say otel.GetTracerProvider() to have it.
	TracerProvider trace.TracerProvider
	// MeterProvider counts and measures. Nil: no metrics; otel.GetMeterProvider() is the global one.
	MeterProvider metric.MeterProvider
	// Propagation is how a trace travels in headers. Empty: [W3C].
	Propagation Propagation
	// Sample is the share, 0 to 1, of the traces beginning here that the TracerProvider is asked to record; what belongs
	// to a trace already follows the decision made at its beginning. It is drawn before the provider is asked, which
	// saves most of what an unsampled call costs; the provider's sampler should then be its default. Nil: the
	// provider is asked for every span.
	Sample *float64
	// LogRequests writes a record to Logger for each call and each request served, at level Info, or Warn where it
	// failed, with the ids of the trace. Bodies, headers and queries are never logged.
	LogRequests bool
	// Logger is where LogRequests writes to. Nil: [slog.Default].
	Logger *slog.Logger
}

// Propagation is a format of headers in which a trace travels.
type Propagation string

// The formats. Baggage travels in its W3C header with each of them.
const (
	// W3C is Trace Context: traceparent and tracestate.
	W3C Propagation = "w3c"
	// B3 is Zipkin's single header, b3. What arrives may be in either of its forms.
	B3 Propagation = "b3"
	// B3Multi sends Zipkin's older form, one header a field: X-B3-TraceId, X-B3-SpanId, X-B3-Sampled. What arrives may be
	// in either form.
	B3Multi Propagation = "b3multi"
)

func (cfg Config) validate() error {
	switch cfg.Propagation {
	case "", W3C, B3, B3Multi:
	default:
		return fmt.Errorf("telemetry: Config.Propagation: %q: must be w3c, b3 or b3multi", cfg.Propagation)
	}
	if s := cfg.Sample; s != nil && !(*s >= 0 && *s <= 1) {
		return fmt.Errorf("telemetry: Config.Sample: %v: must be a share, 0 to 1", *s)
	}
	return nil
}
