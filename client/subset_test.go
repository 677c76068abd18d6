package client_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

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
