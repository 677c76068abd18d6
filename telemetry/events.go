package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// Event counts a change of state, and shows it in the span of the call during which it happened. That of a policy is no one
// service's.
func (o *observer) Event(e call.Event) {
	attrs := []attribute.KeyValue{keyEvent.String(e.Kind.String())}
	if e.Service != "" {
		attrs = append(attrs, serverOf(o.named(e.Service))...)
	}
	if e.Reason != "" {
		attrs = append(attrs, keyReason.String(e.Reason))
	}
	ctx := e.Ctx
	if ctx == nil {
		ctx = context.Background()
	}
	o.set.events.Add(ctx, 1, metric.WithAttributes(attrs...))
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		if e.Endpoint != "" {
			attrs = append(attrs, keyEndpoint.String(e.Endpoint))
		}
		span.AddEvent("intramesh."+e.Kind.String(), trace.WithAttributes(attrs...), trace.WithTimestamp(e.Time))
	}
}

// named is a service's name as metrics may have it, where it comes without a series of its own.
func (o *observer) named(service string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.names[service]; !known {
		if len(o.names) >= maxSeries {
			return other
		}
		o.names[service] = struct{}{}
	}
	return service
}
