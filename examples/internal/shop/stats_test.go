package shop

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/resilience"
)

func TestQuantile(t *testing.T) {
	var h histogram
	if q := h.quantile(0.5); q != 0 {
		t.Errorf("of nothing: %v", q)
	}
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		if got := h.quantile(q); got < want || got > want*106/100 {
			t.Errorf("p%v is %v, want %v or up to 6 %% more", 100*q, got, want)
		}
	}
	h.add(time.Hour)
	if got := h.quantile(1); got < 30*time.Second {
		t.Errorf("an hour is counted as %v", got)
	}
}

// What a process reports is what its calls were, also over the pipe, and what is reported later is the difference.
func TestStats(t *testing.T) {
	var r recorder
	once := client.Info{Attempts: []client.Attempt{{Endpoint: "a", Outcome: "success"}}}
	twice := client.Info{Attempts: []client.Attempt{
		{Endpoint: "a", Outcome: "refused"}, {Endpoint: "b", Outcome: "success"},
	}}
	r.record("inventory GET /stock", once, time.Millisecond, nil)
	first := r.snapshot()
	r.record("inventory GET /stock", twice, time.Millisecond, nil)

	text, err := json.Marshal(r.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	var all Stats
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	r.record("inventory GET /stock", client.Info{}, time.Millisecond, fmt.Errorf("as the mesh says: %w", resilience.ErrOpen))
	if n := r.snapshot().Refused("inventory"); n != 1 {
		t.Errorf("%d calls were refused by a breaker, want 1", n)
	}
	diff := all.since(first)["inventory GET /stock"]
	diff.Took = nil
	want := &MethodStats{
		Calls: 1, Attempts: 2, ByAddr: map[string]int{"a": 1, "b": 1}, Failed: map[string]int{"refused before work": 1},
	}
	if d := cmp.Diff(want, diff); d != "" {
		t.Error(d)
	}
	if m := all["inventory GET /stock"]; m.Calls != 2 || m.Attempts != 3 || m.retries() != 1 {
		t.Errorf("in all: %+v", m)
	}
}
