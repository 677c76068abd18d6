package discoverytest

import (
	"context"
	"fmt"
	"sync"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/discovery"
)

// name is a service as the source is asked for it.
func (s *suite) name(base string) string {
	if s.Port == 0 {
		return base
	}
	return fmt.Sprintf("%s:%d", base, s.Port)
}

// at makes an endpoint; no two numbers below 65,536 give the same.
func (s *suite) at(n int) discovery.Endpoint {
	port := s.Port
	if port == 0 {
		port = 8080
	}
	return discovery.Endpoint{Addr: fmt.Sprintf("10.9.%d.%d:%d", n/256, n%256, port)}
}

func (s *suite) list(n int) []discovery.Endpoint {
	endpoints := make([]discovery.Endpoint, n)
	for i := range endpoints {
		endpoints[i] = s.at(i)
	}
	return endpoints
}

// needs skips a rule where the registry cannot do what it takes.
func (s *suite) needs(can bool, what string) {
	if !can {
		s.Skipf("this registry cannot %s", what)
	}
}

func firstAnswer(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1), s.at(2)}})
	w := s.watch(orders)
	w.has(s.at(1), s.at(2))
	w.ends()
}

func emptyAnswer(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {}})
	w := s.watch(orders)
	w.has()
	w.ends()
}

func absent(s *suite) {
	s.open(Content{s.name("orders"): {s.at(1)}})
	w := s.watch(s.name("nobody"))
	w.isAbsent()
	w.ends()
}

func details(s *suite) {
	s.needs(!s.AddressOnly, "tell more than addresses")
	orders, e := s.name("orders"), s.at(1)
	e.Zone, e.Region, e.Weight, e.ID = "a", "eu", 7, "spiffe://shop/orders"
	e.Metadata = map[string]string{"version": "v1", "track": "stable"}
	s.open(Content{orders: {e, s.at(2)}})
	w := s.watch(orders)
	w.has(e, s.at(2))
	w.ends()
}

func manyEndpoints(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: s.list(2000)})
	w := s.watch(orders)
	w.has(s.list(2000)...)
	w.ends()
}

func changesArrive(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1), s.at(2), s.at(3)}})
	s.needs(s.Set != nil, "change")
	w := s.watch(orders)
	w.has(s.at(1), s.at(2), s.at(3))
	for _, next := range [][]discovery.Endpoint{
		{s.at(1), s.at(2), s.at(3), s.at(4)}, // one more
		{s.at(1), s.at(2), s.at(4)},          // one less
		{s.at(5), s.at(2), s.at(4)},          // one for another
		{s.at(6), s.at(7)},                   // all others
		s.list(300),
		s.list(299),
	} {
		s.Set(orders, next)
		w.has(next...)
	}
	late := s.watch(orders) // who comes late hears what is, not what was
	late.has(s.list(299)...)
	late.ends()
	w.ends()
}

func appearsAndVanishes(s *suite) {
	orders := s.name("orders")
	s.open(Content{s.name("other"): {s.at(9)}})
	s.needs(s.Set != nil && s.Remove != nil, "create and remove services")
	w := s.watch(orders)
	w.isAbsent()
	s.Set(orders, []discovery.Endpoint{s.at(1)})
	w.has(s.at(1))
	s.Remove(orders)
	w.isAbsent()
	s.Set(orders, []discovery.Endpoint{s.at(1), s.at(2)})
	w.has(s.at(1), s.at(2))
	w.ends()
}

func empties(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1), s.at(2)}})
	s.needs(s.Set != nil, "change")
	w := s.watch(orders)
	w.has(s.at(1), s.at(2))
	s.Set(orders, nil)
	w.has()
	s.Set(orders, []discovery.Endpoint{s.at(2)})
	w.has(s.at(2))
	w.ends()
}

func detailsChange(s *suite) {
	s.needs(!s.AddressOnly, "tell more than addresses")
	orders, e := s.name("orders"), s.at(1)
	others := s.list(20)[2:]
	s.open(Content{orders: append([]discovery.Endpoint{e}, others...)})
	s.needs(s.Set != nil, "change")
	w := s.watch(orders)
	w.has(append(others, e)...)
	for _, change := range []func(){
		func() { e.Zone = "b" },
		func() { e.Region = "us" },
		func() { e.Weight = 3 },
		func() { e.Metadata = map[string]string{"version": "v2"} },
		func() { e.Metadata = map[string]string{"version": "v3"} },
		func() { e.ID = "spiffe://shop/orders" },
	} {
		change()
		s.Set(orders, append([]discovery.Endpoint{e}, others...))
		w.has(append(others, e)...)
	}
	w.ends()
}

func failureKeepsTheSet(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1), s.at(2)}})
	s.needs(s.Fail != nil && s.Set != nil, "fail")
	w := s.watch(orders)
	w.has(s.at(1), s.at(2))
	s.Fail()
	if now := w.now(); !alike(now.set, []discovery.Endpoint{s.at(1), s.at(2)}) {
		s.Errorf("while the registry fails there is %v", now)
	}
	s.Recover()
	s.Set(orders, []discovery.Endpoint{s.at(3)})
	w.has(s.at(3))
	w.ends()
	if w.sawNothing() {
		s.Error("the failure took the endpoints away for a time")
	}
}

// sawNothing reports whether there were no endpoints at some time after the first answer.
func (w *watcher) sawNothing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	var st state
	for _, u := range w.copies {
		st.apply(u)
		if st.answered && len(st.set) == 0 {
			return true
		}
	}
	return false
}

func startsDuringFailure(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1)}})
	s.needs(s.Fail != nil, "fail")
	s.Fail()
	w := s.watch(orders)
	s.Recover()
	w.has(s.at(1))
	w.ends()
	if w.sawNothing() {
		s.Error("a failure was reported as an answer without endpoints")
	}
}

func endOfContext(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1)}})
	w, other := s.watch(orders), s.watch(orders)
	w.has(s.at(1))
	other.has(s.at(1))
	w.ends()
	if s.Set != nil {
		s.Set(orders, []discovery.Endpoint{s.at(2)})
		other.has(s.at(2)) // the news is out, and w must not hear it: fn checks that
	}
	other.ends()
}

func contextHasEnded(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1)}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := s.watchWith(ctx, orders, func(*watcher) { s.Error("fn runs although ctx has ended") })
	w.ends()
}

func contextEndsInCallback(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1)}})
	calls := 0
	w := s.watchWith(context.Background(), orders, func(w *watcher) {
		if calls++; calls > 1 {
			s.Error("fn runs although ctx has ended")
		}
		w.cancel()
	})
	w.until("an answer", func(st state) bool { return st.answered })
	w.ends()
}

func concurrentWatches(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: s.list(10)})
	var watchers []*watcher
	for range 8 {
		watchers = append(watchers, s.watch(orders))
	}
	want := s.list(10)
	if s.Set != nil {
		for n := range 5 {
			want = s.list(10 + n)
			s.Set(orders, want)
		}
	}
	for _, w := range watchers {
		w.has(want...)
	}
	var wg sync.WaitGroup
	for _, w := range watchers {
		wg.Go(w.cancel)
	}
	wg.Wait()
	for _, w := range watchers {
		w.ends()
	}
}

func servicesAreIndependent(s *suite) {
	orders, stock := s.name("orders"), s.name("stock")
	s.open(Content{orders: {s.at(1)}, stock: {s.at(2)}})
	a, b := s.watch(orders), s.watch(stock)
	a.has(s.at(1))
	b.has(s.at(2))
	if s.Set != nil {
		s.Set(stock, []discovery.Endpoint{s.at(3), s.at(4)})
		b.has(s.at(3), s.at(4))
	}
	b.ends()
	if s.Set != nil {
		s.Set(orders, []discovery.Endpoint{s.at(5)})
		a.has(s.at(5))
	}
	a.ends()
	for _, u := range a.copies {
		for _, e := range u.Endpoints {
			if e.Addr != s.at(1).Addr && e.Addr != s.at(5).Addr {
				s.Errorf("%s was told of %s, which is of %s", orders, e.Addr, stock)
			}
		}
	}
}

func nothingIsLeft(s *suite) {
	orders := s.name("orders")
	s.open(Content{orders: {s.at(1)}})
	first := s.watch(orders) // what a source starts at its first use and ends in its Close is not a leak
	first.has(s.at(1))
	first.ends()
	before := goleak.IgnoreCurrent()
	for range 5 {
		w := s.watch(orders)
		w.has(s.at(1))
		w.ends()
	}
	if err := goleak.Find(before); err != nil {
		s.Errorf("after all watches have ended: %v", err)
	}
}
