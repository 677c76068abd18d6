//go:build !race

package traffic

import "testing"

// The race detector makes pools forget what they hold, those of package regexp among them.
func TestMatchAllocatesNothing(t *testing.T) {
	for _, s := range append(scenes, worst...) {
		table, q := s.table(t, 1000)
		if got := table.Match(q); (got == nil) != (s.name == "none") || got != nil && got.Index != 999 {
			t.Errorf("%s: matched %+v", s.name, got)
		}
		if n := testing.AllocsPerRun(100, func() { sink = table.Match(q) }); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}
