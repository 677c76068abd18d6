package telemetry

import (
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"
)

func manyMembers(n int, value string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("k%02d=%s", i, value))
	}
	return strings.Join(all, ",")
}

var states = []struct {
	name string
	in   []string
	want string
}{
	{"one", []string{"foo=1"}, "foo=1"},
	{"two", []string{"foo=1,bar=2"}, "foo=1,bar=2"},
	{"two headers, in their order", []string{"foo=1", "bar=2"}, "foo=1,bar=2"},
	{"white space around members", []string{"foo=1 \t , \t bar=2\t"}, "foo=1,bar=2"},
	{"empty members", []string{"foo=1,,bar=2", "", ","}, "foo=1,bar=2"},
	{"nothing", []string{""}, ""},
	{"the same key twice", []string{"foo=1,bar=2,foo=3"}, ""},
	{"the same key in two headers", []string{"foo=1", "foo=1"}, ""},
	{"a key that begins like another", []string{"foo=1,foobar=2,fo=3"}, "foo=1,foobar=2,fo=3"},
	{"no value", []string{"foo="}, ""},
	{"no equals sign", []string{"foo"}, ""},
	{"two equals signs", []string{"foo=bar=baz"}, ""},
	{"no key", []string{"=1"}, ""},
	{"a space before the equals sign", []string{"foo =1"}, ""},
	{"a space inside a value", []string{"foo=a b"}, "foo=a b"},
	{"a key in upper case", []string{"FOO=1"}, ""},
	{"a key with a dot", []string{"foo.bar=1"}, ""},
	{"a key with all that is allowed", []string{"a0_-*/=1"}, "a0_-*/=1"},
	{"a key that begins with a digit", []string{"0foo=1"}, ""},
	{"a tenant that begins with a digit", []string{"0t@sys=1"}, "0t@sys=1"},
	{"a system that begins with a digit", []string{"t@0sys=1"}, ""},
	{"no tenant", []string{"@sys=1"}, ""},
	{"no system", []string{"t@=1"}, ""},
	{"two at signs", []string{"t@s@s=1"}, ""},
	{"a key of 256", []string{strings.Repeat("z", 256) + "=1"}, strings.Repeat("z", 256) + "=1"},
	{"a key of 257", []string{strings.Repeat("z", 257) + "=1"}, ""},
	{"a tenant of 241 and a system of 14", []string{strings.Repeat("t", 241) + "@" + strings.Repeat("v", 14) + "=1"},
		strings.Repeat("t", 241) + "@" + strings.Repeat("v", 14) + "=1"},
	{"a tenant of 242", []string{strings.Repeat("t", 242) + "@v=1"}, ""},
	{"a system of 15", []string{"t@" + strings.Repeat("v", 15) + "=1"}, ""},
	{"a value of 256", []string{"a=" + strings.Repeat("v", 256)}, "a=" + strings.Repeat("v", 256)},
	{"a value of 257", []string{"a=" + strings.Repeat("v", 257)}, ""},
	{"a value that is not ASCII", []string{"a=\u00e9"}, ""},
	{"a control character", []string{"a=\x01b"}, ""},
	{"32 members", []string{manyMembers(32, "1")}, manyMembers(32, "1")},
	{"33 members", []string{manyMembers(33, "1")}, ""},
	{"512 characters", []string{manyMembers(20, strings.Repeat("v", 22))}, manyMembers(20, strings.Repeat("v", 22))},
	{"too long: long members go first", []string{"a=1," + manyMembers(20, strings.Repeat("v", 220)) + ",z=9"},
		"a=1," + manyMembers(18, strings.Repeat("v", 220)) + ",z=9"},
	{"too long: then from the end", []string{manyMembers(32, strings.Repeat("v", 124))}, manyMembers(31, strings.Repeat("v", 124))},
}

func TestState(t *testing.T) {
	for _, c := range states {
		if got := parseState(c.in); got != c.want {
			t.Errorf("%s: got %q (%d), want %q (%d)", c.name, got, len(got), c.want, len(c.want))
		}
	}
}

func FuzzState(f *testing.F) {
	for _, c := range states {
		f.Add(c.in[0], strings.Join(c.in[1:], ","))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		out := parseState([]string{a, b})
		if len(out) > maxStateLength {
			t.Fatalf("%d characters", len(out))
		}
		// What we pass on, OpenTelemetry must be able to read: the two then agree on what a span has.
		ts, err := trace.ParseTraceState(out)
		if err != nil || ts.String() != out {
			t.Fatalf("%q: %v, %q", out, err, ts.String())
		}
		if again := parseState([]string{out}); again != out {
			t.Fatalf("%q is read as %q", out, again)
		}
	})
}
