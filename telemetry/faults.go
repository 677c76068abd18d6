package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// Fault counts a fault that is injected, and shows it in the call's span at its time.
func (o *observer) Fault(c *call.Call, w *call.Watch, a *call.Attempt, kind call.Faults) {
	s := seriesOf(w)
	if o.metrics {
		attrs := append(slices.Clip(s.base), keyFault.String(kind.String()))
		s.set.faults.Add(c.Ctx, 1, metric.WithAttributes(attrs...))
	}
	t, ok := w.State.(*traced)
	if !ok {
		return
	}
	attrs := []attribute.KeyValue{keyFault.String(kind.String())}
	if a != nil {
		attrs = append(attrs, keyAttempt.Int(a.Number))
	}
	t.span.AddEvent("intramesh.fault", trace.WithAttributes(attrs...))
}

// Dropped counts a copy that is not sent.
func (o *observer) Dropped(c *call.Call, reason string) {
	if o.metrics {
		o.caller(c).countCopy(context.Background(), "dropped", reason)
	}
}

// countCopy counts a copy of a call. It is in no other metric: it is nobody's call.
func (s *series) countCopy(ctx context.Context, outcome, reason string) {
	attrs := append(slices.Clip(s.base), keyOutcome.String(outcome))
	if reason != "" {
		attrs = append(attrs, keyReason.String(reason))
	}
	s.set.mirrors.Add(ctx, 1, metric.WithAttributes(attrs...))
}

// dropped holds for the reasons why a copy is given up.
func dropped(reason string) bool {
	switch reason {
	case "busy", "memory", "incomplete", "message":
		return true
	}
	return false
}
