package stack

import (
	"testing"
	"testing/synctest"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
)

// Calls that began before a policy that places calls by keys have none. They do not all go to the same endpoint.
func TestKeyless(t *testing.T) {
	withSubsets(t, func(t *testing.T, c *Client, s told, p *traffic.Live) {
		v1 := subset(c, "v1")
		s <- discovery.Update{Kind: discovery.Set, Endpoints: []discovery.Endpoint{v("a:1", "v1"), v("b:1", "v1"), v("c:1", "v1")}}
		synctest.Wait()
		next := subsetsOf("v1")
		next.Destinations[0].Balance = &traffic.Balance{Algorithm: balance.RingHash, Hash: &traffic.Key{Context: true}}
		if err := p.Set(next); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		seen := map[*Node]int{}
		for range 200 {
			a := &Attempt{Call: &Call{client: c, dest: v1, exec: v1.regime.Load().exec, options: noOptions}}
			n, err := a.Choose(nil)
			if err != nil {
				t.Fatal(err)
			}
			seen[n]++
		}
		if len(seen) != 3 {
			t.Errorf("200 calls went to %d endpoints of 3", len(seen))
		}
	})
}
