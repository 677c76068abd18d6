package client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// A fault beneath the retries, for requests that ask for it: both attempts fail on purpose, and the caller sees what it
// would see of an endpoint that answers so. The mark tells it from a real one.
func Example_fault() {
	srv := hello()
	defer srv.Close()
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}},
		Resilience: resilience.Config{Default: resilience.Policy{Retry: &resilience.Retry{Retries: 1}}},
		Traffic: traffic.Policy{Routes: []traffic.Route{{
			Name: "chaos",
			Faults: []traffic.Fault{{
				Percent: 100, Scope: traffic.ScopeAttempt, Abort: &traffic.Abort{Status: 503},
				Match: []traffic.Match{{Headers: []traffic.Field{{Name: "X-Chaos", Value: traffic.Present()}}}},
			}},
		}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	hc := &http.Client{Transport: c.Transport(nil)}
	for _, chaos := range []bool{false, true} {
		var info client.Info
		ctx := client.With(context.Background(), client.Options{Info: &info})
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "mesh://orders/7", nil)
		if chaos {
			req.Header.Set("X-Chaos", "yes")
		}
		resp, err := hc.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Printf("%d %s; %d attempts, injected: %v\n", resp.StatusCode, body, len(info.Attempts), info.Faults)
	}
	// Output:
	// 200 GET /7 for orders; 1 attempts, injected: []
	// 503 fault injected by route chaos; 2 attempts, injected: [abort]
}

// A dark launch: a new version gets a copy of each request, and nobody waits for what it answers.
func Example_mirror() {
	copies := make(chan string, 1)
	next := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		copies <- r.Method + " " + r.URL.Path + " for " + r.Host
		http.Error(w, "not ready for the public", http.StatusInternalServerError)
	}))
	defer next.Close()
	srv := hello()
	defer srv.Close()
	c, err := client.New(client.Config{
		Discovery: discovery.Static{
			"orders":      {{Addr: srv.Listener.Addr().String()}},
			"orders-next": {{Addr: next.Listener.Addr().String()}},
		},
		Traffic: traffic.Policy{Routes: []traffic.Route{{
			Name: "dark launch", Hosts: []string{"orders"}, Mirrors: []traffic.Mirror{{Service: "orders-next", Percent: 100}},
		}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	resp, err := (&http.Client{Transport: c.Transport(nil)}).Get("mesh://orders/7")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println("answer:", resp.StatusCode, string(body))
	fmt.Println("copy:  ", <-copies)
	// Output:
	// answer: 200 GET /7 for orders
	// copy:   GET /7 for orders-shadow
}
