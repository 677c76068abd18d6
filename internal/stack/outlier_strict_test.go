package stack

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

func strict(o *resilience.Outlier) { o.Strict, o.MinHealthPercent = true, -1 }

// TestStrictShare: the percentage to the letter, as Envoy computes it: 100 x (ejected + 1) / endpoints <= percent.
func TestStrictShare(t *testing.T) {
	for _, tt := range []struct{ endpoints, percent, want int }{
		{1, 0, 0}, {9, 0, 0}, {10, 0, 1}, {19, 0, 1}, {20, 0, 2}, {3, 33, 0}, {3, 34, 1}, {7, 29, 2}, {7, 28, 1},
		{1, 99, 0}, {1, 100, 1}, {2, 100, 2}, {5, 100, 5}, {100, 7, 7},
	} {
		addrs := named(tt.endpoints)
		set := func(o *resilience.Outlier) { strict(o); o.MaxPercent = tt.percent }
		inBubble(t, outlier(set), addrs, func(t *testing.T, r *rig) {
			for _, a := range addrs {
				r.judge(a, http500, 10)
			}
			if got := len(r.ejected()); got != tt.want {
				t.Errorf("%d of %d out at %d %%, want %d", got, tt.endpoints, tt.percent, tt.want)
			}
		})
	}
}

// TestAllEjected: calls go nowhere, and say so, until a probe is due; it readmits.
func TestAllEjected(t *testing.T) {
	set := func(o *resilience.Outlier) { strict(o); o.MaxPercent = 100 }
	inBubble(t, outlier(set), three, func(t *testing.T, r *rig) {
		for _, a := range three {
			r.judge(a, http500, 5)
		}
		_, err := r.do()
		var e *call.Error
		if !errors.As(err, &e) || e.Reason != call.AllEjected || e.Code != call.Unavailable || e.Attempts != 0 || len(r.served) != 0 {
			t.Fatalf("%+v, served %v", err, r.served)
		}
		time.Sleep(30 * time.Second)
		addr, err := r.do()
		if err != nil {
			t.Fatal(err)
		}
		if got := r.ejected(); len(got) != 2 || slices.Contains(got, addr) {
			t.Errorf("%v out after a probe of %s", got, addr)
		}
	})
}

// TestAllEjectedButPanic: where too few are healthy, ejections are ignored, however strict.
func TestAllEjectedButPanic(t *testing.T) {
	for _, tt := range []struct {
		health int
		out    int
		panics bool
	}{{-1, 3, false}, {0, 1, false}, {0, 2, true}, {100, 1, true}, {1, 2, false}, {1, 3, true}, {67, 1, true}, {66, 1, false}} {
		set := func(o *resilience.Outlier) { o.Strict, o.MaxPercent, o.MinHealthPercent = true, 100, tt.health }
		inBubble(t, outlier(set), three, func(t *testing.T, r *rig) {
			for _, a := range three[:tt.out] {
				r.judge(a, http500, 5)
			}
			if got := r.dest().EndpointStates().Panic; got != tt.panics {
				t.Errorf("%+v: panic %t", tt, got)
			}
			if _, err := r.do(); (err == nil) != (tt.panics || tt.out < 3) {
				t.Errorf("%+v: %v", tt, err)
			}
		})
	}
}

// TestStrictShorterList: a list that has become shorter readmits nobody.
func TestStrictShorterList(t *testing.T) {
	addrs := named(10)
	inBubble(t, outlier(strict), addrs, func(t *testing.T, r *rig) {
		r.judge("e0:1", http500, 5)
		r.list(addrs[:5]...)
		if got := r.ejected(); !slices.Equal(got, []string{"e0:1"}) {
			t.Error(got)
		}
		r.list("e0:1")
		if _, err := r.do(); err == nil {
			t.Error("the only one is out, and was called")
		}
		r.c.SetResilience(resilience.Config{Default: outlier()}) // one must always be left now
		if _, err := r.do(); err != nil {
			t.Error(err)
		}
	})
}
