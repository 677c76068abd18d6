package main

import (
	"context"
	"sync"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

// calls is how many are counted. Faults are drawn by chance, so a fifth of them has a standard deviation of 0.9 percent
// points; it is shown to the nearest 10.
const calls = 2000

// callers is how many call at the same time.
const callers = 50

type count int

// percent is the count as a part of n, to the nearest 10.
func (c count) percent(n int) int {
	if n == 0 {
		return 0
	}
	return (10*int(c) + n/2) / n * 10
}

// totals are what became of calls.
type totals struct {
	failed   count
	attempts int
	faulty   count // attempts into which a fault was injected
}

// tally makes calls that a route of the policy matches by a header.
func tally(call orders.Call, route string) totals {
	var mu sync.Mutex
	var sum totals
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range calls / callers {
				var info client.Info
				_, err := call(client.With(context.Background(), client.Options{Info: &info}), "/", "x-case", route)
				mu.Lock()
				sum.add(info, err)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return sum
}

func (t *totals) add(info client.Info, err error) {
	if err != nil {
		t.failed++
	}
	for _, a := range info.Attempts {
		t.attempts++
		if len(a.Faults) > 0 {
			t.faulty++
		}
	}
}
