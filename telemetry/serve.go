package telemetry

import (
	"net"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// serving is a request whose span is being recorded. All others keep no more than their series.
type serving struct {
	*series
	span trace.Span
}

// BeginServe continues the caller's trace, or begins one, and puts it into the handler's context: with a span, or with no
// more than the names that the handler's own calls pass on.
func (o *observer) BeginServe(r *call.Served) {
	s := o.server(r)
	r.Watch.State = s
	if o.metrics {
		s.active.add(1)
	}
	r.Ctx = unpack(r.Ctx, r.Request)
	above, d := o.above(r)
	if !o.asks(above, d) {
		if !above.IsValid() && o.tracer != nil {
			r.Ctx = trace.ContextWithSpan(r.Ctx, o.propagation.unrecorded())
		}
		return
	}
	ctx, span := o.tracer.Start(r.Ctx, s.name, s.start...)
	r.Ctx = ctx
	if span.IsRecording() {
		describe(span, s, r)
		r.Watch.State = &serving{s, span}
	}
}

// above is the trace that the request belongs to, put into its context: the one of whoever stands outside of us and has
// begun a span, else the one that the headers name.
func (o *observer) above(r *call.Served) (trace.SpanContext, decision) {
	if sc := trace.SpanContextFromContext(r.Ctx); sc.IsValid() {
		return sc, undecided
	}
	in, d := o.propagation.extract(r.Request)
	if in == nil {
		return trace.SpanContext{}, d
	}
	r.Ctx = trace.ContextWithSpan(r.Ctx, in)
	return in.sc, undecided
}

// unrecorded is a new trace that nobody records: it must have a name all the same, so that the calls under it do not each
// draw for a trace of their own.
func (p Propagation) unrecorded() *parent {
	cfg := trace.SpanContextConfig{TraceFlags: trace.FlagsRandom}
	cfg.TraceID, cfg.SpanID = newTrace()
	in := &parent{Span: silent, sc: trace.NewSpanContext(cfg)}
	switch p {
	case W3C:
		in.header = formatParent(cfg.TraceID, cfg.SpanID, cfg.TraceFlags)
	case B3:
		in.header = formatB3(cfg.TraceID, cfg.SpanID, false)
	}
	return in
}

// describe adds what only a span says.
func describe(span trace.Span, s *series, r *call.Served) {
	d := r.Request.Describe()
	var attrs []attribute.KeyValue
	if d.Host != "" {
		attrs = serverOf(d.Host)
	}
	add := func(k attribute.Key, v string) {
		if v != "" {
			attrs = append(attrs, k.String(v))
		}
	}
	add(keyURLPath, d.Path)
	add(keyURLQuery, redacted(d.Query))
	add(keyProtoVersion, d.Version)
	add(keyUserAgent, d.UserAgent)
	if s.method == other {
		key := keyHTTPMethodOrig
		if r.Protocol == call.GRPC {
			key = keyRPCMethodOrig
		}
		add(key, strings.TrimPrefix(r.Method, "/"))
	}
	attrs = append(attrs, peerOf(d.Remote)...)
	if host, _, err := net.SplitHostPort(d.Remote); err == nil {
		add(keyClientAddress, host)
	}
	span.SetAttributes(attrs...)
}

// peerOf is an address as the conventions have it.
func peerOf(addr string) []attribute.KeyValue {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return []attribute.KeyValue{keyPeerAddress.String(addr)}
	}
	kv := []attribute.KeyValue{keyPeerAddress.String(host)}
	if n, err := strconv.Atoi(port); err == nil {
		kv = append(kv, keyPeerPort.Int(n))
	}
	return kv
}

// EndServe records how the request ended.
func (o *observer) EndServe(r *call.Served) {
	took := time.Since(r.Start)
	t, recording := r.Watch.State.(*serving)
	var s *series
	if recording {
		s = t.series
	} else {
		s = r.Watch.State.(*series)
	}
	out := ofServed(r)
	if o.metrics {
		s.active.add(-1)
		p := s.prepare(out)
		s.histo.Record(r.Ctx, took.Seconds(), p.record...)
		if p.refused != nil {
			o.set.refusedRequests.Add(r.Ctx, 1, p.refused...)
		}
	}
	if recording {
		t.end(r, out)
	}
	if o.log != nil {
		o.logServed(r, out, took)
	}
}

func (t *serving) end(r *call.Served, out outcome) {
	if out.route != "" {
		t.span.SetName(t.name + " " + out.route)
	}
	out.scheme = "" // said at the start
	t.span.SetAttributes(out.attributes(r.Protocol, true)...)
	fail(t.span, out.errorType(r.Protocol, true), r.Err)
	t.span.End()
}
