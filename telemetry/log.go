package telemetry

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// logCall writes one record for a call.
func (o *observer) logCall(c *call.Call, w *call.Watch, last *call.Attempt, err error, out outcome, took time.Duration) {
	level := levelOf(out)
	if !o.log.Enabled(c.Ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("protocol", c.Protocol.String()),
		slog.String("service", c.Service),
		slog.String("method", c.Method),
		slog.Int("attempts", c.Tries),
	}
	if last != nil && last.Addr != "" {
		attrs = append(attrs, slog.String("endpoint", last.Addr))
	}
	switch {
	case out.answered:
		err = nil
	case err == nil && last != nil:
		err = last.Outcome.Err
	}
	if c.Faults != 0 {
		attrs = append(attrs, slog.String("fault", c.Faults.String()))
	}
	if c.Copy {
		attrs = append(attrs, slog.Bool("mirror", true))
	}
	attrs = append(attrs, ended(c.Protocol, out, took, err)...)
	sc := trace.SpanContextFromContext(c.Ctx)
	if t, ok := w.State.(*traced); ok {
		sc = t.span.SpanContext()
	}
	o.write(c.Ctx, level, "intramesh: call", attrs, sc)
}

// logServed writes one record for a request served.
func (o *observer) logServed(r *call.Served, out outcome, took time.Duration) {
	level := levelOf(out)
	if !o.log.Enabled(r.Ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("protocol", r.Protocol.String()), slog.String("method", r.Method)}
	if out.route != "" {
		attrs = append(attrs, slog.String("route", out.route))
	}
	if r.Peer != "" {
		attrs = append(attrs, slog.String("peer", r.Peer))
	}
	attrs = append(attrs, ended(r.Protocol, out, took, r.Err)...)
	o.write(r.Ctx, level, "intramesh: request", attrs, trace.SpanContextFromContext(r.Ctx))
}

// levelOf is Warn for what failed: a caller that gave up is nobody's failure.
func levelOf(out outcome) slog.Level {
	switch out.class {
	case call.Success, call.Canceled:
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

func ended(p call.Protocol, out outcome, took time.Duration, err error) []slog.Attr {
	attrs := []slog.Attr{slog.Duration("took", took), slog.String("outcome", out.class.String())}
	if p == call.GRPC {
		attrs = append(attrs, slog.String("code", out.code.String()))
	} else if out.status != 0 {
		attrs = append(attrs, slog.Int("status", out.status))
	}
	if out.reason != "" {
		attrs = append(attrs, slog.String("reason", out.reason))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	return attrs
}

// write adds the ids of the trace, under the names that OpenTelemetry gives them in other formats of logs.
func (o *observer) write(ctx context.Context, level slog.Level, text string, attrs []slog.Attr, sc trace.SpanContext) {
	if sc.IsValid() {
		attrs = append(attrs, slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	o.log.LogAttrs(ctx, level, text, attrs...)
}
