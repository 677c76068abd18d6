package telemetry

import (
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// The headers of https://github.com/openzipkin/b3-propagation.
const (
	headerB3        = "b3"
	headerB3Trace   = "x-b3-traceid"
	headerB3Span    = "x-b3-spanid"
	headerB3Sampled = "x-b3-sampled"
	headerB3Flags   = "x-b3-flags"
)

// decision is what a caller says of sampling without naming a trace, which B3 allows.
type decision uint8

const (
	undecided decision = iota
	accepted
	denied
)

// parseB3 reads the single form: trace-span[-sampled[-parent]], or only the sampled field. A debug trace counts as a
// sampled one, a trace id of 64 bits is widened with zeros.
func parseB3(s string) (sc trace.SpanContextConfig, d decision, ok bool) {
	if d, ok = b3Decision(s); ok {
		return sc, d, true
	}
	parts := strings.SplitN(s, "-", 5)
	if len(parts) < 2 || len(parts) > 4 || !b3IDs(&sc, parts[0], parts[1]) {
		return sc, undecided, false
	}
	if len(parts) > 2 {
		if d, ok = b3Decision(parts[2]); !ok {
			return sc, undecided, false
		}
	}
	if len(parts) == 4 {
		var parent trace.SpanID
		if len(parts[3]) != 16 || !unhex(parent[:], parts[3]) {
			return sc, undecided, false
		}
	}
	if d == accepted {
		sc.TraceFlags = trace.FlagsSampled
	}
	return sc, d, true
}

// parseB3Multi reads the form of one header a field.
func parseB3Multi(id, span, sampled, flags string) (sc trace.SpanContextConfig, d decision, ok bool) {
	switch {
	case flags == "1": // debug
		d = accepted
	case sampled != "":
		if d, ok = b3Decision(sampled); !ok || sampled == "d" {
			return sc, undecided, false
		}
	}
	if id == "" && span == "" {
		return sc, d, d != undecided
	}
	if !b3IDs(&sc, id, span) {
		return sc, undecided, false
	}
	if d == accepted {
		sc.TraceFlags = trace.FlagsSampled
	}
	return sc, d, true
}

// b3Decision reads a sampled field. The words are those of early implementations.
func b3Decision(s string) (decision, bool) {
	switch s {
	case "1", "d", "true":
		return accepted, true
	case "0", "false":
		return denied, true
	}
	return undecided, false
}

func b3IDs(sc *trace.SpanContextConfig, id, span string) bool {
	if len(span) != 16 || !unhex(sc.SpanID[:], span) || !sc.SpanID.IsValid() {
		return false
	}
	switch len(id) {
	case 32:
		return unhex(sc.TraceID[:], id) && sc.TraceID.IsValid()
	case 16:
		return unhex(sc.TraceID[8:], id) && sc.TraceID.IsValid()
	}
	return false
}

// formatB3 writes the single form.
func formatB3(id trace.TraceID, span trace.SpanID, sampled bool) string {
	var b [51]byte
	b[32], b[49], b[50] = '-', '-', '0'
	tohex(b[:32], id[:])
	tohex(b[33:49], span[:])
	if sampled {
		b[50] = '1'
	}
	return string(b[:])
}
