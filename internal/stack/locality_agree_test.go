package stack

import (
	"math/rand/v2"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

// What package traffic lets pass can be picked by: otherwise a policy that was accepted would panic when it is put in force.
func TestLocalitiesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	places := []string{"", "*", "a", "a/*", "a/b", "a/b/*", "a/b/c", "a/c", "a/*/c", "a/b/c/d", "b", "b/*", "*/b", "a*", "a/", "/a"}
	place := func() string { return places[r.IntN(len(places))] }
	accepted := 0
	for range 200_000 {
		var l traffic.Locality
		if r.IntN(2) == 0 {
			for range 1 + r.IntN(2) {
				to, left := map[string]uint32{}, uint32(100)
				for range r.IntN(3) {
					n := 1 + uint32(r.IntN(40))
					to[place()] = n
				}
				for _, n := range to {
					left -= n
				}
				to[place()] += left
				l.Distribute = append(l.Distribute, traffic.Distribute{From: place(), To: to})
			}
		}
		if r.IntN(3) == 0 {
			for range 1 + r.IntN(2) {
				l.Failover = append(l.Failover, traffic.Failover{From: place(), To: place()})
			}
		}
		if r.IntN(3) == 0 {
			for range 1 + r.IntN(2) {
				l.FailoverPriority = append(l.FailoverPriority, []string{"", "x", "x=1", "=1", "y"}[r.IntN(5)])
			}
		}
		p := traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{Locality: &l}}}}
		if p.Validate() != nil {
			continue
		}
		accepted++
		if err := localityOf(&l).Validate(); err != nil {
			t.Fatalf("%+v: %v", l, err)
		}
	}
	if accepted < 1000 {
		t.Errorf("%d were accepted", accepted)
	}
}
