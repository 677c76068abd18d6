package telemetry

import (
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// extract reads the trace that a request belongs to; nil where it names none, and what is malformed names none.
func (p Propagation) extract(req call.Request) (*parent, decision) {
	if p != W3C {
		return p.extractB3(req)
	}
	v := req.Values(call.HeaderTraceParent)
	if len(v) != 1 { // two of them are as good as none
		return nil, undecided
	}
	cfg, ok := parseParent(strings.Trim(v[0], " \t"))
	if !ok {
		return nil, undecided
	}
	cfg.Remote = true
	in := &parent{Span: silent, header: formatted(v[0], cfg)}
	if states := req.Values(call.HeaderTraceState); len(states) > 0 {
		in.state = parseState(states)
		cfg.TraceState, _ = trace.ParseTraceState(in.state)
	}
	in.sc = trace.NewSpanContext(cfg)
	return in, undecided
}

// formatted is the header that passes cfg on: the one that came, if it says nothing that we do not know.
func formatted(came string, cfg trace.SpanContextConfig) string {
	if len(came) == lenParent && came[:2] == "00" && came[53] == '0' && came[54] <= '3' {
		return came
	}
	return formatParent(cfg.TraceID, cfg.SpanID, cfg.TraceFlags)
}

func (p Propagation) extractB3(req call.Request) (*parent, decision) {
	var cfg trace.SpanContextConfig
	var d decision
	var ok bool
	one := func(name string) string {
		if v := req.Values(name); len(v) == 1 {
			return strings.Trim(v[0], " \t")
		}
		return ""
	}
	if single := one(headerB3); single != "" {
		cfg, d, ok = parseB3(single)
	}
	if !ok {
		cfg, d, ok = parseB3Multi(one(headerB3Trace), one(headerB3Span), one(headerB3Sampled), one(headerB3Flags))
	}
	if !ok || !cfg.TraceID.IsValid() {
		return nil, d
	}
	cfg.Remote = true
	in := &parent{Span: silent, sc: trace.NewSpanContext(cfg)}
	if p == B3 {
		in.header = formatB3(cfg.TraceID, cfg.SpanID, in.sc.IsSampled())
	}
	return in, d
}

// inject adds the headers that continue the trace of sc.
func (p Propagation) inject(w *call.Watch, sc trace.SpanContext) {
	p.injectIDs(w, sc.TraceID(), sc.SpanID(), sc.TraceFlags())
	if p == W3C {
		if ts := sc.TraceState(); ts.Len() > 0 {
			w.Add(call.HeaderTraceState, ts.String())
		}
	}
}

func (p Propagation) injectIDs(w *call.Watch, id trace.TraceID, span trace.SpanID, flags trace.TraceFlags) {
	switch p {
	case B3:
		w.Add(headerB3, formatB3(id, span, flags.IsSampled()))
	case B3Multi:
		sampled := "0"
		if flags.IsSampled() {
			sampled = "1"
		}
		w.Add(headerB3Trace, id.String())
		w.Add(headerB3Span, span.String())
		w.Add(headerB3Sampled, sampled)
	default:
		w.Add(call.HeaderTraceParent, formatParent(id, span, flags))
	}
}

// pass adds the headers of a span that was not recorded here, the very ones that came where they are known.
func (p Propagation) pass(w *call.Watch, s trace.Span, sc trace.SpanContext) {
	in, ok := s.(*parent)
	if !ok || in.header == "" {
		p.inject(w, sc)
		return
	}
	name := call.HeaderTraceParent
	if p == B3 {
		name = headerB3
	}
	w.Add(name, in.header)
	if in.state != "" {
		w.Add(call.HeaderTraceState, in.state)
	}
}
