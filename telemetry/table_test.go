package telemetry

import (
	"strconv"
	"sync"
	"testing"

	"github.com/intramesh/intramesh/internal/call"
)

func TestTableIsBounded(t *testing.T) {
	tab := table[string, int]{limit: 10}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 100 {
				tab.find(strconv.Itoa(g*100+i), func(string) int { return i })
			}
		})
	}
	wg.Wait()
	n := 0
	tab.each(func(int) { n++ })
	if n != 10 {
		t.Errorf("%d entries", n)
	}
	if _, ok := tab.find("new", func(string) int { return 0 }); ok {
		t.Error("a full table took another entry")
	}
}

// TestNamesOfStrangersAreBounded: whatever peers and callers name, the number of sets of attributes stays small.
func TestNamesOfStrangersAreBounded(t *testing.T) {
	tel, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	o := &tel.core
	seen := make(map[*series]bool)
	for i := range 3 * maxSeries {
		n := strconv.Itoa(i)
		seen[o.caller(&call.Call{Protocol: call.GRPC, Service: "s" + n, Method: "/m"})] = true
		seen[o.caller(&call.Call{Service: "orders", Method: "M" + n})] = true
		seen[o.server(&call.Served{Protocol: call.GRPC, Method: "/m" + n})] = true
		seen[o.server(&call.Served{Protocol: call.GRPC, Method: "/u" + n, Unregistered: true})] = true
		seen[o.server(&call.Served{Method: "M" + n, Scheme: "http"})] = true
	}
	if len(seen) > 2*maxSeries+4 {
		t.Errorf("%d series", len(seen))
	}
	s := o.server(&call.Served{Method: "GET", Scheme: "http"})
	prepared := make(map[*prepared]bool)
	for i := range 10 * maxOutcomes {
		prepared[s.prepare(outcome{status: 100 + i, code: call.Code(i), peer: strconv.Itoa(i), route: "/" + strconv.Itoa(i)})] = true
	}
	if len(prepared) > maxOutcomes+600 {
		t.Errorf("%d outcomes", len(prepared))
	}
	if s.prepare(outcome{status: 200, peer: "somebody"}) != s.prepare(outcome{status: 200, peer: "somebody else"}) {
		t.Error("a full series still tells callers apart")
	}
}

func TestCounter(t *testing.T) {
	var c counter
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				c.add(2)
				c.add(-1)
			}
		})
	}
	wg.Wait()
	if c.value() != 4000 {
		t.Errorf("%d", c.value())
	}
}
