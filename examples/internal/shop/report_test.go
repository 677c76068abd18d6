package shop

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The last line says ok only where every demand holds, and otherwise names what did not.
func TestLastLine(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*report)
		want   string
	}{
		"good":        {func(*report) {}, "ok requests=2 failed=0 degraded=0 lost=0 duplicated=0 retries=3 "},
		"failed":      {func(r *report) { r.visitors.failed = 1 }, "FAILED requests=2 failed=1 "},
		"lost":        {func(r *report) { r.lost = 1 }, "FAILED requests=2 failed=0 degraded=0 lost=1 duplicated=0 "},
		"duplicated":  {func(r *report) { r.duplicated = 1 }, "FAILED requests=2 failed=0 degraded=0 lost=0 duplicated=1 "},
		"degraded":    {func(r *report) { r.visitors.degraded = 1 }, "ok requests=2 failed=0 degraded=1 "},
		"not excused": {func(r *report) { r.visitors.degraded, r.visitors.unexcused = 1, 1 }, "FAILED requests=2 failed=0 degraded=1 "},
		"a problem":   {func(r *report) { r.problems = []string{"orders-1 ended"} }, "FAILED requests=2 "},
		"no visitor":  {func(r *report) { r.visitors = seen{} }, "FAILED requests=0 "},
	} {
		t.Run(name, func(t *testing.T) {
			v := seen{calls: Stats{}}
			for range 2 {
				v.note(pageMethod, time.Millisecond, nil, false, false)
			}
			calls := Stats{}
			calls.method("inventory GET /stock").Failed["no reply in time"] = 3
			r := report{calls: calls, visitors: v}
			tc.change(&r)
			var out strings.Builder
			r.print(&out)
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, tc.want) {
				t.Errorf("last line %q, want %q", last, tc.want)
			}
		})
	}
}

// The second table has a line for each service, from what its callers noticed and what itself did.
func TestGuards(t *testing.T) {
	calls := Stats{}
	calls.method("reviews GET /reviews").Refused = 357
	r := report{calls: calls, visitors: seen{calls: Stats{}}, events: Events{
		"opened reviews":                      {Times: 3},
		"ejected inventory 127.0.0.1:1":       {Times: 2},
		"ejected inventory 127.0.0.1:2":       {Times: 1},
		"denied payments":                     {Times: 4},
		"stranger payments unknown_authority": {Times: 5},
	}}
	var out strings.Builder
	r.print(&out)
	for _, want := range []string{"inventory 3 0 0 0 0", "orders 0 0 0 0 0", "payments 0 0 0 4 5", "reviews 0 3 357 0 0"} {
		if !slices.ContainsFunc(strings.Split(out.String(), "\n"), func(line string) bool {
			return strings.Join(strings.Fields(line), " ") == want
		}) {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
}

// A visitor who is told two things about one purchase has seen a failure; one who was told nothing is no stranger.
func TestRemember(t *testing.T) {
	l := newLoad("")
	p := purchase{1, 1, 537, "inventory-1/1", "payments-1/1"}
	if err := l.remember("key", p); err != nil {
		t.Fatal(err)
	}
	if err := l.remember("key", p); err != nil {
		t.Errorf("the same answer again: %v", err)
	}
	p.PaymentReceipt = "payments-1/2"
	if err := l.remember("key", p); err == nil {
		t.Error("another receipt went unnoticed")
	}
}
