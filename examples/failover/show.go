package main

import (
	"context"
	"fmt"
	"io"

	"github.com/intramesh/intramesh/examples/internal/orders"
)

// calls is how many are counted at each step. Each goes to a zone by chance, so the part of one of them has a standard
// deviation of up to 1.1 percent points; it is shown to the nearest 10, and the expected parts are multiples of 10.
const calls = 2000

type show struct {
	out     io.Writer
	servers []*orders.Server // those of the near zone first
	health  *health
	orders  *orders.Client
	failed  int
}

func (s *show) close() {
	for _, server := range s.servers {
		server.Close()
	}
}

// run ends the near instances one by one, and starts them again.
func (s *show) run() error {
	s.count(0)
	for i := range near {
		s.servers[i].Close()
		s.settle(i + 1)
		s.count(i + 1)
	}
	for i := range near {
		server, err := orders.Listen(orders.Config{Name: s.servers[i].Name, Addr: s.servers[i].Addr})
		if err != nil {
			return err
		}
		s.servers[i] = server
	}
	fmt.Fprintln(s.out, "all are back")
	s.settle(0)
	s.count(0)
	_, err := fmt.Fprintf(s.out, "failed=%d\n", s.failed)
	return err
}

// settle calls until so many instances are known to be down.
func (s *show) settle(down int) {
	for i := 0; s.health.out() != down; i++ {
		s.call(i)
	}
}

// count calls, and prints which zone answered.
func (s *show) count(down int) {
	by := map[string]int{}
	for i := range calls {
		by[s.call(i)]++
	}
	fmt.Fprintf(s.out, "near: %d of %d well, %3d %% of the calls; far: %d of %d, %3d %%\n",
		near-down, near, percent(by["north-1"]), far, far, percent(by["north-2"]))
}

// percent is a part of the calls to the nearest 10 percent.
func percent(n int) int { return (10*n + calls/2) / calls * 10 }

// call calls over one protocol or the other.
func (s *show) call(i int) (zone string) {
	all := s.orders.Protocols()
	zone, err := all[i%len(all)].Call(context.Background(), "/")
	if err != nil {
		s.failed++
	}
	return zone
}
