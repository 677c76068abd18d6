package manifest

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// naiveMost is the most attempts at the end of any chain from a caller on, by going all ways.
func naiveMost(g *callGraph, from string) int {
	most := 0
	for to, h := range g.from[from] {
		most = max(most, h.Attempts*max(1, naiveMost(g, to)))
	}
	return most
}

// TestCallGraph compares random graphs without circles with a search of all ways.
func TestCallGraph(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		g, n := newCallGraph(), 2+rnd.IntN(8)
		for range 2 * n {
			a, b := rnd.IntN(n), rnd.IntN(n)
			g.add(Hop{From: graphNode(min(a, b)), To: graphNode(max(a, b)), Attempts: 1 + rnd.IntN(4)})
		}
		want := 0
		for i := range n {
			want = max(want, naiveMost(g, graphNode(i)))
		}
		got := g.worst()
		if got == nil {
			if want != 0 {
				t.Fatalf("none, want %d", want)
			}
			continue
		}
		checkChain(t, g, got)
		if got.Attempts != want {
			t.Fatalf("%v, want %d", got, want)
		}
	}
}

// TestCallGraphCircles: with circles a chain is one all the same, and the search ends.
func TestCallGraphCircles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		g, n := newCallGraph(), 2+rnd.IntN(30)
		for range 3 * n {
			g.add(Hop{From: graphNode(rnd.IntN(n)), To: graphNode(rnd.IntN(n)), Attempts: 1 + rnd.IntN(11)})
		}
		if got := g.worst(); got != nil {
			checkChain(t, g, got)
		}
	}
}

// graphNode is the name of a service; that of the first is anybody.
func graphNode(i int) string {
	if i == 0 {
		return ""
	}
	return fmt.Sprintf("s%d", i)
}

// checkChain checks that a chain is one: of hops that are there, each from where the one before leads, and multiplied.
func checkChain(t *testing.T, g *callGraph, a *Amplification) {
	t.Helper()
	product := 1
	for i, h := range a.Hops {
		product = min(mostAttempts, product*h.Attempts)
		if g.from[h.From][h.To] != h || i > 0 && a.Hops[i-1].To != h.From {
			t.Fatalf("%v: hop %d is not one", a, i)
		}
	}
	if product != a.Attempts {
		t.Fatalf("%v, and the product is %d", a, product)
	}
}
