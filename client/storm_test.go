package client_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

// pushed is a source of one service whose endpoints a test pushes.
type pushed chan discovery.Update

func (p pushed) Watch(ctx context.Context, _ string, f func(discovery.Update)) error {
	for {
		select {
		case u := <-p:
			f(u)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// TestEverythingChanges: routes, how endpoints are picked, connections, the client's own policy and the endpoints change
// side by side while calls run. None fails.
func TestEverythingChanges(t *testing.T) {
	const changes = 300
	endpoints := func(i int) discovery.Update {
		v := func(addr, version string) discovery.Endpoint {
			return discovery.Endpoint{Addr: addr, Zone: fmt.Sprint("z", i%2), Metadata: map[string]string{"version": version}}
		}
		eps := []discovery.Endpoint{v("a:80", "v1"), v("b:80", "v2"), v("c:80", "v1"), v("d:80", "v2")}
		if i%3 == 0 {
			eps = eps[:2]
		}
		return discovery.Update{Kind: discovery.Set, Endpoints: eps}
	}
	policy := func(i int) traffic.Policy {
		d := traffic.Destination{Service: "orders"}
		one, two := fmt.Sprint("one", i%3), fmt.Sprint("two", i%2)
		d.Subsets = []traffic.Subset{{Name: one, Labels: map[string]string{"version": "v1"}}, {Name: two, Labels: map[string]string{"version": "v2"}}}
		switch i % 4 {
		case 0:
			d.Balance = &traffic.Balance{Algorithm: balance.RingHash, Hash: &traffic.Key{Context: true}, RingMin: 16}
		case 1:
			d.Locality = &traffic.Locality{}
		case 2:
			d.Connections = &traffic.Connections{MaxRequests: 3 + i%5}
			d.Subsets[0].Balance = &traffic.Balance{Algorithm: balance.RoundRobin}
		}
		return traffic.Policy{Destinations: []traffic.Destination{d}, Routes: []traffic.Route{{
			Name: "all", To: []traffic.Backend{{Subset: one, Weight: uint32(1 + i%7)}, {Subset: two, Weight: 1}},
			Retry: &resilience.Retry{Retries: 1 + i%3},
		}}}
	}
	live, err := traffic.NewLive(policy(0))
	if err != nil {
		t.Fatal(err)
	}
	m, src := &mesh{t: t}, make(pushed)
	for _, addr := range []string{"a:80", "b:80", "c:80", "d:80"} {
		m.serve(addr, says(addr))
	}
	m.c = newClient(t, client.Config{Traffic: live, Discovery: src, Hosts: []string{"orders"}, Dial: m.dial, Resilience: standard})
	m.rt = m.c.Transport(nil)
	var changing, calling sync.WaitGroup
	change := func(f func(i int)) {
		changing.Go(func() {
			for i := range changes {
				f(i)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	for range 4 {
		calling.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				ctx := client.With(t.Context(), client.Options{HashKey: fmt.Sprint(i)})
				resp, err := m.rt.RoundTrip(requestWith(t, ctx, "GET", "http://orders/", nil))
				if err != nil {
					t.Error(err)
					return
				}
				if resp.Body.Close(); resp.StatusCode != http.StatusOK {
					t.Error(resp.Status)
				}
			}
		})
	}
	src <- endpoints(1) // the watch has begun with the first call
	change(func(i int) { src <- endpoints(i) })
	change(func(i int) {
		if err := live.Set(policy(i)); err != nil {
			t.Error(err)
		}
	})
	change(func(i int) {
		p := resilience.Standard()
		p.Limit = &resilience.Limit{Requests: 100 + i}
		p.Breaker = &resilience.Breaker{Open: time.Duration(1+i%2) * time.Second}
		if err := m.c.SetResilience(resilience.Config{Default: p}); err != nil {
			t.Error(err)
		}
	})
	changing.Wait()
	cancel()
	calling.Wait()
}
