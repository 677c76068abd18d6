package discoverytest

import (
	"fmt"

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
	e.Zone, e.Region, e.SubZone, e.Weight, e.ID = "a", "eu", "rack", 7, "spiffe://shop/orders"
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
