package client

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// stubTransport answers everything with one response, so that what is counted is the client's own.
type stubTransport struct{ resp http.Response }

func (s *stubTransport) RoundTrip(*http.Request) (*http.Response, error) {
	resp := s.resp
	return &resp, nil
}

// TestAllocations pins what a call costs beyond the transport. The numbers may only fall.
func TestAllocations(t *testing.T) {
	stub := &stubTransport{http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}}
	wrap := func(http.RoundTripper) http.RoundTripper { return stub }
	orders := discovery.Static{"orders": {{Addr: "127.0.0.1:1"}, {Addr: "127.0.0.1:2"}}}
	retry := resilience.Config{Default: resilience.Policy{Timeout: &resilience.Timeout{}, Retry: &resilience.Retry{}, Budget: &resilience.Budget{}}}
	standard := resilience.Config{Default: resilience.Standard()}
	routed := func(r traffic.Route) traffic.Policy {
		r.Name = "canary"
		return traffic.Policy{Routes: []traffic.Route{r}, Destinations: []traffic.Destination{{Service: "orders", Subsets: []traffic.Subset{
			{Name: "v1"}, {Name: "v2"},
		}}}}
	}
	halves := []traffic.Backend{{Subset: "v1", Weight: 1}, {Subset: "v2", Weight: 1}}
	ops := traffic.Headers{Request: traffic.HeaderOps{Set: map[string]string{"x-a": "1"}}}
	for _, tt := range []struct {
		name     string
		method   string
		cfg      Config
		base     http.RoundTripper
		url      string
		deadline bool
		most     float64
	}{
		{"direct, nothing set", "GET", Config{}, stub, "http://orders/", false, 2},
		{"direct, deadline", "GET", Config{}, stub, "http://orders/", true, 5},
		{"direct, retries", "GET", Config{Resilience: retry}, stub, "http://orders/", false, 6},
		{"mesh, nothing set", "GET", Config{Discovery: orders, WrapAttempt: wrap}, nil, "http://orders/", false, 2},
		{"mesh, mesh scheme", "GET", Config{Discovery: orders, WrapAttempt: wrap}, nil, "mesh://orders/", false, 2},
		{"mesh, deadline", "GET", Config{Discovery: orders, WrapAttempt: wrap}, nil, "http://orders/", true, 5},
		{"mesh, retries", "GET", Config{Discovery: orders, WrapAttempt: wrap, Resilience: retry}, nil, "http://orders/", false, 6},
		{"mesh, retries, deadline", "GET", Config{Discovery: orders, WrapAttempt: wrap, Resilience: retry}, nil, "http://orders/", true, 9},
		{"mesh, standard, deadline", "GET", Config{Discovery: orders, WrapAttempt: wrap, Resilience: standard}, nil, "http://orders/", true, 9},
		// Whether it was sent matters, so that is traced.
		{"mesh, standard, deadline, not idempotent", "POST", Config{Discovery: orders, WrapAttempt: wrap, Resilience: standard}, nil, "http://orders/", true, 8},
		// To go by a route costs nothing. Changed headers are a map of their own, and a value each.
		{"routes, none matches", "GET", Config{Discovery: orders, WrapAttempt: wrap, Traffic: routed(traffic.Route{Hosts: []string{"other"}})}, nil, "http://orders/", false, 2},
		{"routes, a split", "GET", Config{Discovery: orders, WrapAttempt: wrap, Traffic: routed(traffic.Route{To: halves})}, nil, "http://orders/", false, 2},
		{"routes, a split, the mesh scheme", "GET", Config{Discovery: orders, WrapAttempt: wrap, Traffic: routed(traffic.Route{To: halves})}, nil, "mesh://orders/", false, 2},
		{"routes, a split, header changes", "GET", Config{Discovery: orders, WrapAttempt: wrap, Traffic: routed(traffic.Route{To: halves, Headers: ops})}, nil, "http://orders/", false, 5},
		{"routes, a split, header changes, standard, deadline", "GET", Config{Discovery: orders, WrapAttempt: wrap, Resilience: standard, Traffic: routed(traffic.Route{To: halves, Headers: ops})}, nil, "http://orders/", true, 10},
		{"routes, its own retries", "GET", Config{Discovery: orders, WrapAttempt: wrap, Resilience: retry, Traffic: routed(traffic.Route{Retry: &resilience.Retry{}})}, nil, "http://orders/", false, 6},
		{"routes, a rewrite", "GET", Config{Discovery: orders, WrapAttempt: wrap, Traffic: routed(traffic.Route{Rewrite: &traffic.Rewrite{Path: "/x"}})}, nil, "http://orders/", false, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(tt.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			rt := c.Transport(tt.base)
			ctx := t.Context()
			if tt.deadline {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Hour)
				defer cancel()
			}
			req, err := http.NewRequestWithContext(ctx, tt.method, tt.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept", "application/json")
			got := testing.AllocsPerRun(1000, func() {
				resp, err := rt.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			})
			got-- // the stub's response
			t.Logf("%v allocations", got)
			if got > tt.most {
				t.Errorf("%v allocations, at most %v before", got, tt.most)
			}
		})
	}
}
