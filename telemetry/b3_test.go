package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/trace"
)

var b3Singles = []struct {
	name, in string
	ok       bool
	trace    string
	d        decision
}{
	{"sampled", id16 + "-" + id8 + "-1", true, id16, accepted},
	{"not sampled", id16 + "-" + id8 + "-0", true, id16, denied},
	{"debug", id16 + "-" + id8 + "-d", true, id16, accepted},
	{"with its parent", id16 + "-" + id8 + "-1-" + id8, true, id16, accepted},
	{"left open", id16 + "-" + id8, true, id16, undecided},
	{"a trace id of 64 bits", id8 + "-" + id8 + "-1", true, "0000000000000000" + id8, accepted},
	{"denied without ids", "0", true, "", denied},
	{"accepted without ids", "1", true, "", accepted},
	{"debug without ids", "d", true, "", accepted},
	{"an unknown decision", id16 + "-" + id8 + "-x", false, "", undecided},
	{"a parent that is none", id16 + "-" + id8 + "-1-xyz", false, "", undecided},
	{"too much", id16 + "-" + id8 + "-1-" + id8 + "-1", false, "", undecided},
	{"zeros", "00000000000000000000000000000000-" + id8 + "-1", false, "", undecided},
	{"only a trace", id16, false, "", undecided},
	{"nothing", "", false, "", undecided},
}

func TestB3(t *testing.T) {
	for _, c := range b3Singles {
		cfg, d, ok := parseB3(c.in)
		if ok != c.ok || ok && (d != c.d || cfg.TraceID.IsValid() != (c.trace != "") || cfg.TraceFlags.IsSampled() != (c.trace != "" && d == accepted)) {
			t.Errorf("%s: %q: %+v, %d, %t", c.name, c.in, cfg, d, ok)
		}
		if ok && c.trace != "" && cfg.TraceID.String() != c.trace {
			t.Errorf("%s: trace %s", c.name, cfg.TraceID)
		}
	}
}

func TestB3Multi(t *testing.T) {
	for _, c := range []struct {
		name, id, span, sampled, flags string
		ok                             bool
		d                              decision
	}{
		{"sampled", id16, id8, "1", "", true, accepted},
		{"sampled, in an old word", id16, id8, "true", "", true, accepted},
		{"not sampled", id16, id8, "0", "", true, denied},
		{"debug", id16, id8, "", "1", true, accepted},
		{"left open", id16, id8, "", "", true, undecided},
		{"denied without ids", "", "", "0", "", true, denied},
		{"nothing", "", "", "", "", false, undecided},
		{"no span", id16, "", "1", "", false, undecided},
		{"no trace", "", id8, "1", "", false, undecided},
		{"the single form's word", id16, id8, "d", "", false, undecided},
		{"nonsense", id16, id8, "maybe", "", false, undecided},
	} {
		if _, d, ok := parseB3Multi(c.id, c.span, c.sampled, c.flags); ok != c.ok || ok && d != c.d {
			t.Errorf("%s: decision %d, accepted %t", c.name, d, ok)
		}
	}
}

func FuzzB3(f *testing.F) {
	for _, c := range b3Singles {
		f.Add(c.in, id16, "1")
	}
	f.Fuzz(func(t *testing.T, single, id, sampled string) {
		if cfg, _, ok := parseB3(single); ok && cfg.TraceID.IsValid() {
			out := formatB3(cfg.TraceID, cfg.SpanID, cfg.TraceFlags.IsSampled())
			again, _, ok := parseB3(out)
			if !ok || again.TraceID != cfg.TraceID || again.SpanID != cfg.SpanID || again.TraceFlags != cfg.TraceFlags {
				t.Fatalf("%q is passed on as %q", single, out)
			}
		}
		if cfg, _, ok := parseB3Multi(id, id8, sampled, ""); ok && cfg.TraceID.IsValid() && !trace.NewSpanContext(cfg).IsValid() {
			t.Fatalf("%q %q: not valid", id, sampled)
		}
	})
}
