package resilience

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestParseConditions(t *testing.T) {
	for _, tt := range []struct {
		name string
		list []string
		want conditions
		err  string // a part of it; empty: none
	}{
		{name: "nil is safe", want: conditions{safe: true}},
		{name: "one", list: []string{"5xx"}, want: conditions{on: on5xx}},
		{name: "several", list: []string{"reset", "internal"}, want: conditions{on: onReset | onInternal}},
		{name: "one string", list: []string{"connect-failure, refused-stream,unavailable"},
			want: conditions{on: onConnectFailure | onRefusedStream | onUnavailable}},
		{name: "case and space", list: []string{" Gateway-Error\t"}, want: conditions{on: onGatewayError}},
		{name: "trailing comma", list: []string{"reset,"}, want: conditions{on: onReset}},
		{name: "status", list: []string{"503"}, want: statuses(503)},
		{name: "lowest and highest", list: []string{"200,599"}, want: statuses(200, 599)},

		{name: "empty list", list: []string{}, err: "names no condition"},
		{name: "empty tokens", list: []string{"", " , "}, err: "names no condition"},
		{name: "typo", list: []string{"conect-failure"}, err: `"conect-failure" is not a condition; did you mean "connect-failure"?`},
		{name: "other spelling", list: []string{"canceled"}, err: `did you mean "cancelled"?`},
		{name: "one bad of several", list: []string{"reset", "5xxx"}, err: `did you mean "5xx"?`},
		{name: "status list", list: []string{"retriable-status-codes"}, err: "give the statuses themselves"},
		{name: "headers", list: []string{"retriable-headers"}, err: "names of headers cannot be given here"},
		{name: "too low", list: []string{"199"}, err: `"199" is not an HTTP status from 200 to 599`},
		{name: "too high", list: []string{"600"}, err: `"600" is not an HTTP status`},
		{name: "beyond any number", list: []string{strings.Repeat("9", 30)}, err: "is not an HTTP status"},
		{name: "negative", list: []string{"-503"}, err: "is not a condition"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseConditions(tt.list)
			switch {
			case tt.err == "" && err != nil:
				t.Fatal(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Fatalf("error %v, want one with %q", err, tt.err)
			case got != tt.want:
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func statuses(list ...int) (c conditions) {
	for _, s := range list {
		c.statuses[s/64] |= 1 << (s % 64)
	}
	return c
}

func TestHasStatus(t *testing.T) {
	c := statuses(200, 503, 599)
	for s := -1; s < 1000; s++ {
		if got, want := c.hasStatus(s), s == 200 || s == 503 || s == 599; got != want {
			t.Errorf("hasStatus(%d) = %v", s, got)
		}
	}
}

func TestNearest(t *testing.T) {
	for written, want := range map[string]string{
		"gateway-errors":              "gateway-error",
		"resource_exhausted":          "resource-exhausted",
		"un-available":                "unavailable",
		"4xx":                         "5xx",
		strings.Repeat("x", 1<<20):    "5xx",
		"deadline-exceeded-and-so-on": "deadline-exceeded",
	} {
		if got := meant(written); got != want {
			t.Errorf("meant(%.40q) = %q, want %q", written, got, want)
		}
	}
}

// A list that was accepted is also accepted as one string, in any case, with the same meaning; no input panics.
func FuzzParseConditions(f *testing.F) {
	for _, token := range slices.Sorted(maps.Keys(tokens)) {
		f.Add(token, "503")
	}
	f.Add("connect-failure,refused-stream,unavailable,cancelled,503", "")
	f.Add("retriable-headers", "retriable-status-codes")
	f.Add("99999999999999999999", "-1")
	f.Add("\x00,,,", "\xff\xfe")
	f.Fuzz(func(t *testing.T, a, b string) {
		c, err := parseConditions([]string{a, b})
		if err != nil {
			if c != (conditions{}) {
				t.Errorf("an error, and still conditions: %+v", c)
			}
			return
		}
		if c.safe || c == (conditions{}) {
			t.Errorf("a list that is there means %+v", c)
		}
		joined, err := parseConditions([]string{strings.ToUpper(a) + " , " + b})
		if err != nil || joined != c {
			t.Errorf("as one string: %+v, %v; want %+v", joined, err, c)
		}
	})
}
