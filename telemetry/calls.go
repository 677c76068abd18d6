package telemetry

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// traced is a call whose span is being recorded. All others keep no more than their series.
type traced struct {
	*series
	span    trace.Span
	url     string
	baggage string
}

// seriesOf is the series in a call's room.
func seriesOf(w *call.Watch) *series {
	if t, ok := w.State.(*traced); ok {
		return t.series
	}
	return w.State.(*series)
}

// BeginCall begins the call's span, or finds out that there is none, and what its attempts carry.
func (o *observer) BeginCall(c *call.Call, w *call.Watch, d call.Describer) {
	s := o.caller(c)
	w.State = s
	if o.metrics && !c.Copy {
		s.active.add(1)
	}
	bag := pack(c.Ctx)
	if t := o.begin(c, w, s); t != nil {
		t.baggage = bag
		t.describe(c, d)
		w.State = t
		return
	}
	if bag != "" {
		w.Add(call.HeaderBaggage, bag)
	}
}

// begin asks for a span where one may be recorded. Without one it adds what goes into every attempt's headers.
func (o *observer) begin(c *call.Call, w *call.Watch, s *series) *traced {
	above := trace.SpanFromContext(c.Ctx)
	sc := above.SpanContext()
	if !o.asks(sc, undecided) {
		switch {
		case sc.IsValid():
			o.propagation.pass(w, above, sc)
		case o.tracer != nil:
			id, span := newTrace()
			o.propagation.injectIDs(w, id, span, trace.FlagsRandom)
		}
		return nil
	}
	ctx, span := o.tracer.Start(c.Ctx, s.name, s.start...)
	if span.IsRecording() {
		c.Ctx = ctx
		if c.Copy {
			span.SetAttributes(keyMirror.Bool(true))
		}
		return &traced{series: s, span: span}
	}
	if sc = span.SpanContext(); sc.IsValid() {
		o.propagation.inject(w, sc)
	}
	return nil
}

// asks decides whether the provider is asked for a span. What belongs to a trace follows that trace; the beginning of one
// is drawn for.
func (o *observer) asks(above trace.SpanContext, d decision) bool {
	switch {
	case o.tracer == nil, d == denied:
		return false
	case o.sample == nil:
		return true
	case above.IsValid():
		return above.IsSampled()
	case d == accepted:
		return true
	}
	return drawn(*o.sample)
}

// describe adds what only a span says.
func (t *traced) describe(c *call.Call, d call.Describer) {
	if t.method == other {
		key := keyHTTPMethodOrig
		if c.Protocol == call.GRPC {
			key = keyRPCMethodOrig
		}
		t.span.SetAttributes(key.String(c.Method))
	}
	if t.url = redacted(d.Describe().URL); t.url != "" {
		t.span.SetAttributes(keyURLFull.String(t.url))
	}
}

// Reply records the call's duration, unless it is a stream: that is measured to its end.
func (o *observer) Reply(c *call.Call, w *call.Watch, last *call.Attempt, err error) {
	if !c.Streaming {
		o.measure(c, w, last, err)
	}
}

// measure records what metrics and the log say of a call.
func (o *observer) measure(c *call.Call, w *call.Watch, last *call.Attempt, err error) {
	took := time.Since(c.Start)
	s := seriesOf(w)
	out := ofCall(c, last, err)
	if o.metrics {
		s.record(c, took, out)
	}
	if o.log != nil {
		o.logCall(c, w, last, err, out, took)
	}
}

func (s *series) record(c *call.Call, took time.Duration, out outcome) {
	if c.Copy {
		outcome := out.class.String()
		if dropped(out.reason) {
			outcome = "dropped" // while it was under way
		}
		s.countCopy(c.Ctx, outcome, out.reason)
		return
	}
	p := s.prepare(out)
	s.histo.Record(c.Ctx, took.Seconds(), p.record...)
	if n := c.Tries - 1; n > 0 {
		s.set.retries.Add(c.Ctx, int64(n), s.baseOpt...)
	}
	if c.OutOfBudget {
		s.set.budget.Add(c.Ctx, 1, s.baseOpt...)
	}
	if p.refused != nil {
		s.set.refusedCalls.Add(c.Ctx, 1, p.refused...)
	}
}

// EndCall ends the span, when the body or stream is over.
func (o *observer) EndCall(c *call.Call, w *call.Watch, last *call.Attempt, err error) {
	s := seriesOf(w)
	if o.metrics && !c.Copy {
		s.active.add(-1)
	}
	if c.Streaming {
		o.measure(c, w, last, err)
	}
	t, ok := w.State.(*traced)
	if !ok {
		return
	}
	out := ofCall(c, last, err)
	t.span.SetAttributes(append(out.attributes(c.Protocol, false), keyAttempts.Int(c.Tries))...)
	if c.Route != nil {
		t.span.SetAttributes(keyRule.String(*c.Route))
	}
	if last != nil && last.Addr != "" {
		t.span.SetAttributes(keyEndpoint.String(last.Addr))
	}
	switch {
	case out.answered:
		err = nil
	case err == nil && last != nil:
		err = last.Outcome.Err
	}
	fail(t.span, out.errorType(c.Protocol, false), err)
	t.span.End()
}

// BeginAttempt begins a span for the attempt where the call has one.
func (o *observer) BeginAttempt(ctx context.Context, c *call.Call, cw *call.Watch, a *call.Attempt, aw *call.Watch) context.Context {
	t, ok := cw.State.(*traced)
	if !ok {
		return ctx
	}
	attrs := []attribute.KeyValue{keyAttempt.Int(a.Number)}
	if t.url != "" {
		attrs = append(attrs, keyURLFull.String(t.url))
	}
	if a.Number > 1 {
		t.span.AddEvent("intramesh.retry", trace.WithAttributes(keyAttempt.Int(a.Number)))
		if c.Protocol == call.HTTP {
			attrs = append(attrs, keyResendCount.Int(a.Number-1))
		}
	}
	ctx, span := o.tracer.Start(ctx, t.attempt, append(slices.Clip(t.start), trace.WithAttributes(attrs...))...)
	aw.State = span
	o.propagation.inject(aw, span.SpanContext())
	if t.baggage != "" {
		aw.Add(call.HeaderBaggage, t.baggage)
	}
	return ctx
}

// EndAttempt ends the attempt's span.
func (o *observer) EndAttempt(c *call.Call, _ *call.Watch, a *call.Attempt, aw *call.Watch) {
	span, ok := aw.State.(trace.Span)
	if !ok {
		return
	}
	out := outcome{class: call.Classify(a.Outcome), status: a.Outcome.Status, code: a.Outcome.Code, faults: a.Faults}
	if c.Protocol == call.HTTP && a.Outcome.Err != nil {
		out.reason = noResponse(a.Outcome)
	}
	span.SetAttributes(append(out.attributes(c.Protocol, false), peerOf(a.Addr)...)...)
	fail(span, out.errorType(c.Protocol, false), a.Outcome.Err)
	span.End()
}

// noResponse is a word for an HTTP attempt that brought none.
func noResponse(o call.Outcome) string {
	switch {
	case o.Canceled:
		return call.CallerCanceled
	case o.Code == call.DeadlineExceeded:
		return call.TryTimeout
	case o.Sent == call.SentNo:
		return call.ConnectFailed
	}
	return call.Broken
}

// fail marks a span whose operation failed. The error's text is in an event of the span.
func fail(span trace.Span, errorType string, err error) {
	if err != nil {
		span.RecordError(err)
	}
	if errorType != "" {
		span.SetStatus(codes.Error, errorType)
	}
}
