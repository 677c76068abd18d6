package telemetry

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

const (
	id16    = "4bf92f3577b34da6a3ce929d0e0e4736"
	id8     = "00f067aa0ba902b7"
	sampled = "00-" + id16 + "-" + id8 + "-01"
)

// The cases of https://www.w3.org/TR/trace-context-2/ and its test suite.
var parents = []struct {
	name, in string
	want     string // as it is sent on; empty where it is malformed
}{
	{"sampled", sampled, sampled},
	{"not sampled", "00-" + id16 + "-" + id8 + "-00", "00-" + id16 + "-" + id8 + "-00"},
	{"random", "00-" + id16 + "-" + id8 + "-03", "00-" + id16 + "-" + id8 + "-03"},
	{"unknown flags", "00-" + id16 + "-" + id8 + "-ff", "00-" + id16 + "-" + id8 + "-03"},
	{"a future version", "cc-" + id16 + "-" + id8 + "-01", sampled},
	{"a future version that says more", "cc-" + id16 + "-" + id8 + "-01-what-the-future-brings", sampled},
	{"a future version with a dot", "cc-" + id16 + "-" + id8 + "-01.what-the-future-brings", ""},
	{"a future version that ends too late", "cc-" + id16 + "-" + id8 + "-01" + "0", ""},
	{"version 00 that says more", sampled + "-more", ""},
	{"version 00 with a dash", sampled + "-", ""},
	{"version ff", "ff-" + id16 + "-" + id8 + "-01", ""},
	{"a version that is no number", "0x-" + id16 + "-" + id8 + "-01", ""},
	{"a version in upper case", "CC-" + id16 + "-" + id8 + "-01", ""},
	{"a short version", "0-" + id16 + "-" + id8 + "-01", ""},
	{"a trace id of zeros", "00-" + strings.Repeat("0", 32) + "-" + id8 + "-01", ""},
	{"a span id of zeros", "00-" + id16 + "-" + strings.Repeat("0", 16) + "-01", ""},
	{"a trace id in upper case", "00-" + strings.ToUpper(id16) + "-" + id8 + "-01", ""},
	{"a span id in upper case", "00-" + id16 + "-" + strings.ToUpper(id8) + "-01", ""},
	{"a short trace id", "00-" + id16[1:] + "-" + id8 + "-01", ""},
	{"a long trace id", "00-" + id16 + "0-" + id8 + "-01", ""},
	{"a short span id", "00-" + id16 + "-" + id8[1:] + "-01", ""},
	{"a trace id with a dot", "00-." + id16[1:] + "-" + id8 + "-01", ""},
	{"flags that are no number", "00-" + id16 + "-" + id8 + "-.0", ""},
	{"flags of one digit", "00-" + id16 + "-" + id8 + "-1", ""},
	{"no dashes", strings.ReplaceAll(sampled, "-", "_"), ""},
	{"nothing", "", ""},
}

func TestParent(t *testing.T) {
	for _, c := range parents {
		cfg, ok := parseParent(c.in)
		if ok != (c.want != "") {
			t.Errorf("%s: %q: accepted %t", c.name, c.in, ok)
			continue
		}
		if ok && formatted(c.in, cfg) != c.want {
			t.Errorf("%s: %q is passed on as %q, want %q", c.name, c.in, formatted(c.in, cfg), c.want)
		}
	}
}

func FuzzParent(f *testing.F) {
	for _, c := range parents {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cfg, ok := parseParent(s)
		if !ok {
			return
		}
		sc := trace.NewSpanContext(cfg)
		if !sc.IsValid() {
			t.Fatalf("%q: not valid", s)
		}
		out := formatted(s, cfg)
		again, ok := parseParent(out)
		if !ok || again.TraceID != cfg.TraceID || again.SpanID != cfg.SpanID || again.TraceFlags != cfg.TraceFlags || len(out) != lenParent {
			t.Fatalf("%q is passed on as %q", s, out)
		}
	})
}
