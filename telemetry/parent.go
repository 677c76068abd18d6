package telemetry

import (
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// parent is the span of another process, or one that is not recorded: what a context carries so that whatever is called
// under it continues the trace. It is a [trace.Span] of our own so that the headers that are passed on are built once,
// and not for each call.
type parent struct {
	trace.Span // silent

	sc     trace.SpanContext
	header string // the traceparent or b3 header that passes sc on; empty in the format of several headers
	state  string // the tracestate header; empty for none
}

// silent is a span that records nothing.
var silent trace.Span = noop.Span{}

// SpanContext names the trace and the caller's span.
func (p *parent) SpanContext() trace.SpanContext { return p.sc }

// newTrace begins a trace that is not recorded. Its ids need no secrecy.
func newTrace() (id trace.TraceID, span trace.SpanID) {
	for !id.IsValid() {
		put(id[:8], rand.Uint64())
		put(id[8:], rand.Uint64())
	}
	for !span.IsValid() {
		put(span[:], rand.Uint64())
	}
	return id, span
}

func put(b []byte, n uint64) {
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
}

// drawn decides for a trace that begins here whether to ask for its recording.
func drawn(share float64) bool { return rand.Float64() < share }
