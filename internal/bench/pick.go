package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
)

// picks prints what the choice of an endpoint costs by each algorithm: the least of several rounds, in which the
// algorithms and the numbers of endpoints take turns.
func picks(w io.Writer) {
	const rounds, calls = 5, 100_000
	type row struct {
		name string
		p    balance.Picker
		best time.Duration
	}
	var rows []*row
	for _, n := range []int{10, 1000, 100_000} {
		nodes := make([]*balance.Node, n)
		for i := range nodes {
			nodes[i] = balance.NewNode(discovery.Endpoint{Addr: fmt.Sprintf("10.%d.%d.%d:80", i>>16, i>>8&255, i&255)})
		}
		for _, a := range balance.Algorithms() {
			p, err := balance.New(balance.Config{Algorithm: a}, nodes)
			if err != nil {
				panic(err) // only what is known is listed
			}
			rows = append(rows, &row{name: fmt.Sprintf("pick %s n=%d", a, n), p: p})
		}
	}
	for range rounds {
		for _, r := range rows {
			keys := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // any will do
			began := time.Now()
			for range calls {
				r.p.Pick(keys.Uint64(), nil)
			}
			if took := time.Since(began); r.best == 0 || took < r.best {
				r.best = took
			}
		}
	}
	for _, r := range rows {
		fmt.Fprintf(w, "%s %.1fns\n", r.name, float64(r.best.Nanoseconds())/calls)
	}
}
