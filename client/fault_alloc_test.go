package client

import (
	"net/http"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// TestFaultsAndMirrorsCostNothing: a call whose route has none, or whose match or lot leaves it out, allocates as much as one
// by a route without any.
func TestFaultsAndMirrorsCostNothing(t *testing.T) {
	stub := &stubTransport{http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}}
	others := []traffic.Match{{Headers: []traffic.Field{{Name: "x-tester", Value: traffic.Present()}}}}
	measure := func(route traffic.Route) float64 {
		c, err := New(Config{
			Discovery:   discovery.Static{"orders": {{Addr: "127.0.0.1:1"}}, "next": {{Addr: "127.0.0.1:2"}}},
			WrapAttempt: func(http.RoundTripper) http.RoundTripper { return stub },
			Traffic:     traffic.Policy{Routes: []traffic.Route{{Match: others, To: []traffic.Backend{{Service: "next"}}}, route}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		rt := c.Transport(nil)
		req, err := http.NewRequest(http.MethodGet, "http://orders/", nil)
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(1000, func() {
			resp, err := rt.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		})
	}
	plain := measure(traffic.Route{Name: "plain"})
	t.Logf("%v allocations with a route, the stub's response included", plain)
	for name, route := range map[string]traffic.Route{
		"faults for others":   {Faults: []traffic.Fault{{Percent: 100, Match: others, Delay: time.Hour}}},
		"faults of 0 %":       {Faults: []traffic.Fault{{Delay: time.Hour}, {Abort: &traffic.Abort{Status: 500}}}},
		"no headers that ask": {Faults: []traffic.Fault{{Percent: 100, FromHeaders: true}}},
		"mirrors of 0 %":      {Mirrors: []traffic.Mirror{{Service: "next"}}},
	} {
		if got := measure(route); got > plain {
			t.Errorf("%s: %v allocations, a route without has %v", name, got, plain)
		}
	}
}
