package telemetry

import (
	"go.opentelemetry.io/otel/trace"
)

// lenParent is the length of a traceparent of version 00: 00-<32 hex>-<16 hex>-<2 hex>.
const lenParent = 55

// knownFlags are the flags that level 2 of the recommendation defines; all others are sent as 0.
const knownFlags = trace.FlagsSampled | trace.FlagsRandom

// parseParent reads a traceparent as https://www.w3.org/TR/trace-context-2/ has it. Of a version higher than 00 what 00
// knows is read, if the value begins like one of 00. Hex digits are lower case, and an id is not all zeros.
func parseParent(s string) (sc trace.SpanContextConfig, ok bool) {
	if len(s) < lenParent || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return sc, false
	}
	var version, flags [1]byte
	if !unhex(version[:], s[:2]) || version[0] == 0xff {
		return sc, false
	}
	if len(s) > lenParent && (version[0] == 0 || s[lenParent] != '-') {
		return sc, false
	}
	if !unhex(sc.TraceID[:], s[3:35]) || !unhex(sc.SpanID[:], s[36:52]) || !unhex(flags[:], s[53:55]) {
		return sc, false
	}
	sc.TraceFlags = trace.TraceFlags(flags[0]) & knownFlags
	return sc, sc.TraceID.IsValid() && sc.SpanID.IsValid()
}

// formatParent writes a traceparent of version 00; the one allocation is the string.
func formatParent(id trace.TraceID, span trace.SpanID, flags trace.TraceFlags) string {
	var b [lenParent]byte
	b[0], b[1], b[2], b[35], b[52] = '0', '0', '-', '-', '-'
	tohex(b[3:35], id[:])
	tohex(b[36:52], span[:])
	tohex(b[53:55], []byte{byte(flags & knownFlags)})
	return string(b[:])
}

const digits = "0123456789abcdef"

func tohex(dst, src []byte) {
	for i, c := range src {
		dst[2*i], dst[2*i+1] = digits[c>>4], digits[c&15]
	}
}

// unhex is hex.Decode for lower case only.
func unhex(dst []byte, s string) bool {
	var bad byte
	for i := range dst {
		hi, lo := nibbles[s[2*i]], nibbles[s[2*i+1]]
		bad |= hi | lo
		dst[i] = hi<<4 | lo&15
	}
	return bad <= 15
}

// nibbles are the values of the digits; all else has a bit that no value has.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 0x80
	}
	for i := range len(digits) {
		t[digits[i]] = byte(i)
	}
	return t
}()
