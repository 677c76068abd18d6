package discoverytest

import "github.com/intramesh/intramesh/discovery"

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
		func() { e.SubZone = "rack" },
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
