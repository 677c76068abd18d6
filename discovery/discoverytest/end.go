package discoverytest

import (
	"context"
	"sync"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/discovery"
)

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
