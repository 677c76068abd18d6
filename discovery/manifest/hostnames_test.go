package manifest

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestHostNames compares with the rule as it is written: two hosts are for the same names where they are the same, or where
// what is behind the "*" of one is the end of the other.
func TestHostNames(t *testing.T) {
	within := func(name, wildcard string) bool {
		return strings.HasPrefix(wildcard, "*.") && strings.HasSuffix(strings.TrimPrefix(name, "*"), wildcard[1:])
	}
	all := []string{"a", "b.a", "c.b.a", "cb.a", "d", "*.a", "*.b.a", "*.c.b.a", "*.d", "b.d", "*.cb.a", "x.cb.a"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		names := hostNames{below: map[string]string{}, wild: map[string]string{}}
		var before []string
		for range 3 {
			host := all[rnd.IntN(len(all))]
			want := false
			for _, other := range before {
				want = want || other == host || within(other, host) || within(host, other)
			}
			if got := names.add(host); (got != "") != want {
				t.Fatalf("%q after %q: found %q", host, before, got)
			}
			before = append(before, host)
		}
	}
}
