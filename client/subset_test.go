package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// Subsets come and go with each change of the policy, while calls run: none fails.
func TestSubsetsComeAndGoUnderLoad(t *testing.T) {
	policy := func(i int) traffic.Policy {
		name := fmt.Sprint("gen", i%3)
		return traffic.Policy{
			Destinations: []traffic.Destination{{Service: "orders", Subsets: []traffic.Subset{{Name: name, Labels: map[string]string{"version": "v1"}}}}},
			Routes:       []traffic.Route{{Name: "all", To: []traffic.Backend{{Subset: name}}}},
		}
	}
	live, err := traffic.NewLive(policy(0))
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{t: t}
	m.serve("a:80", says("a"))
	m.c = newClient(t, client.Config{Traffic: live, Dial: m.dial, Discovery: discovery.Static{"orders": {
		{Addr: "a:80", Metadata: map[string]string{"version": "v1"}},
	}}})
	m.rt = m.c.Transport(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				resp, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	for i := range 1000 {
		if err := live.Set(policy(i)); err != nil {
			t.Fatal(err)
		}
		m.ask("http://orders/")
	}
	cancel()
	wg.Wait()
}

// A route for all hosts names a subset that not all of them have. Calls to one that has not fail and say why, also where it had
// the subset a moment ago.
func TestSubsetUndeclared(t *testing.T) {
	v1 := []traffic.Subset{{Name: "v1"}}
	policy := func(orders ...traffic.Subset) traffic.Policy {
		return traffic.Policy{
			Routes:       []traffic.Route{{Name: "all", To: []traffic.Backend{{Subset: "v1"}}}},
			Destinations: []traffic.Destination{{Service: "*", Subsets: v1}, {Service: "orders", Subsets: orders}},
		}
	}
	for _, before := range []traffic.Policy{policy(), policy(v1...)} {
		synctest.Test(t, func(t *testing.T) {
			live, err := traffic.NewLive(before)
			if err != nil {
				t.Fatal(err)
			}
			m := &mesh{t: t}
			m.serve("a:80", says("a"))
			m.c = newClient(t, client.Config{Traffic: live, Dial: m.dial, Discovery: discovery.Static{"orders": {{Addr: "a:80"}}, "stock": {{Addr: "a:80"}}}})
			m.rt = m.c.Transport(nil)
			if resp, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil)); err == nil {
				resp.Body.Close()
			}
			if err := live.Set(policy()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			_, err = m.rt.RoundTrip(request(t, "GET", "http://orders/", nil))
			e, ok := errors.AsType[*client.Error](err)
			if !ok || e.Reason != client.NoEndpoint || e.Rule != "all" || !errors.Is(err, traffic.ErrUnknownSubset) {
				t.Errorf("got %v", err)
			}
			m.ask("http://stock/")
		})
	}
}
