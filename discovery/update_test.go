package discovery

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func list(addrs ...string) []Endpoint {
	endpoints := []Endpoint{}
	for _, a := range addrs {
		addr, zone, _ := strings.Cut(a, "@")
		endpoints = append(endpoints, Endpoint{Addr: addr, Zone: zone})
	}
	return endpoints
}

func TestApply(t *testing.T) {
	old := list("a:1", "b:1", "c:1")
	for name, c := range map[string]struct {
		u    Update
		want []Endpoint
	}{
		"set":                 {Update{Kind: Set, Endpoints: list("x:1")}, list("x:1")},
		"empty set":           {Update{Kind: Set}, nil},
		"absent":              {Update{Kind: Absent}, nil},
		"failed":              {Update{Kind: Failed}, old},
		"nothing":             {Update{Kind: Diff}, old},
		"added":               {Update{Kind: Diff, Endpoints: list("x:1", "y:1")}, list("a:1", "b:1", "c:1", "x:1", "y:1")},
		"replaced":            {Update{Kind: Diff, Endpoints: list("b:1@eu")}, list("a:1", "b:1@eu", "c:1")},
		"removed":             {Update{Kind: Diff, Removed: []string{"b:1", "z:1"}}, list("a:1", "c:1")},
		"removed and given":   {Update{Kind: Diff, Endpoints: list("b:1@eu"), Removed: []string{"b:1"}}, list("a:1", "b:1@eu", "c:1")},
		"the last one counts": {Update{Kind: Diff, Endpoints: list("x:1@a", "x:1@b")}, list("a:1", "b:1", "c:1", "x:1@b")},
		"all at once": {
			Update{Kind: Diff, Endpoints: list("x:1", "a:1@eu"), Removed: []string{"c:1"}}, list("a:1@eu", "b:1", "x:1"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, c.u.Apply(old)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(list("a:1", "b:1", "c:1"), old); d != "" {
				t.Errorf("the old set was changed: %s", d)
			}
		})
	}
}

// What diff says leads from any set to any other: 2,000 pairs of sets of up to 12 of 15 endpoints in 2 versions.
func TestDiffLeadsToTheSet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	sorted := func(e []Endpoint) []Endpoint {
		e = slices.Clone(e)
		slices.SortFunc(e, func(a, b Endpoint) int { return strings.Compare(a.Addr, b.Addr) })
		return append([]Endpoint{}, e...)
	}
	for range 2000 {
		old, next := randomSet(r), randomSet(r)
		if r.IntN(3) == 0 {
			next = slices.Clone(old)
		}
		u, changed := diff(old, next)
		if changed == cmp.Equal(sorted(old), sorted(next)) {
			t.Fatalf("changed is %v from %v to %v", changed, old, next)
		}
		if !changed {
			continue
		}
		if d := cmp.Diff(sorted(next), sorted(u.Apply(old))); d != "" {
			t.Fatalf("from %v to %v by %+v: %s", old, next, u, d)
		}
	}
}

func randomSet(r *rand.Rand) []Endpoint {
	var set []Endpoint
	for _, i := range r.Perm(15)[:r.IntN(13)] {
		set = append(set, Endpoint{Addr: fmt.Sprintf("h:%d", i+1), Zone: fmt.Sprint(r.IntN(2))})
	}
	return set
}

func TestSmallChangesAreDifferences(t *testing.T) {
	old := thousands(10_000)
	next := slices.Clone(old)
	next[5000].Weight = 7
	u, changed := diff(old, next)
	if !changed || u.Kind != Diff || len(u.Endpoints) != 1 || len(u.Removed) != 0 {
		t.Errorf("one change of 10,000 is %v with %d endpoints, %d removed", u.Kind, len(u.Endpoints), len(u.Removed))
	}
}

func TestSameSeesEveryField(t *testing.T) {
	a := Endpoint{Addr: "h:1", Zone: "z", Region: "r", Weight: 1, Metadata: map[string]string{"k": "v"}, ID: "spiffe://d/x"}
	for i, change := range []func(*Endpoint){
		func(e *Endpoint) { e.Addr = "h:2" }, func(e *Endpoint) { e.Zone = "" }, func(e *Endpoint) { e.Region = "" },
		func(e *Endpoint) { e.Weight = 2 }, func(e *Endpoint) { e.Metadata = nil }, func(e *Endpoint) { e.ID = "" },
	} {
		b := a
		if !same(a, b) {
			t.Fatal("an endpoint is not the same as itself")
		}
		if change(&b); same(a, b) {
			t.Errorf("change %d goes unseen", i)
		}
	}
}

func TestKindString(t *testing.T) {
	if got := fmt.Sprint(Set, Diff, Absent, Failed, Kind(9)); got != "set diff absent failed kind 9" {
		t.Error(got)
	}
}

func thousands(n int) []Endpoint {
	endpoints := make([]Endpoint, n)
	for i := range endpoints {
		endpoints[i] = Endpoint{Addr: fmt.Sprintf("10.0.%d.%d:8080", i/256, i%256), Zone: "a"}
	}
	return endpoints
}

// One change among ten thousand: the budget is 1 ms for all of the mesh.
func BenchmarkApply(b *testing.B) {
	old := thousands(10_000)
	u := Update{Kind: Diff, Endpoints: []Endpoint{{Addr: old[5000].Addr, Zone: "b"}}}
	for b.Loop() {
		u.Apply(old)
	}
}

func BenchmarkDiff(b *testing.B) {
	old := thousands(10_000)
	next := slices.Clone(old)
	next[5000].Zone = "b"
	for b.Loop() {
		diff(old, next)
	}
}
