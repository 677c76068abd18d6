//go:build !race

package clientgrpc_test

import (
	"context"
	"math"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// What the mesh adds to a unary call, interceptor and picker together, in allocations. The number may fall; a change that
// lets it rise needs a reason. Where the caller gives no deadline and the policy does, 11 of them are grpc's own, on both
// sides, for having one.
//
// Where there are routes, matched or not, split or not, a call costs one more, for what they ask of it. One that changes
// headers copies the metadata, one that writes the authority adds a call option, and a timeout costs as much as any deadline.
func TestAllocationsOfUnaryCalls(t *testing.T) {
	for name, tc := range map[string]struct {
		policy   resilience.Policy
		routes   traffic.Policy
		method   string
		deadline bool
		most     float64
	}{
		"standard, once only, with a deadline":    {policy: resilience.Standard(), method: put, deadline: true, most: 2},
		"standard, idempotent, with a deadline":   {policy: resilience.Standard(), method: get, deadline: true, most: 9},
		"standard, once only, without a deadline": {policy: resilience.Standard(), method: put, most: 20},
		"no policy":           {method: put, deadline: true, most: 2},
		"no route matches":    {routes: to(traffic.Route{Match: []traffic.Match{{Path: traffic.Exact("/")}}}), method: put, deadline: true, most: 3},
		"a split":             {routes: split(1, 1), method: put, deadline: true, most: 3},
		"by metadata":         {routes: byUser(), method: put, deadline: true, most: 3},
		"headers":             {routes: to(traffic.Route{Headers: traffic.Headers{Request: traffic.HeaderOps{Set: map[string]string{"x-a": "1"}}}}), method: put, deadline: true, most: 9},
		"an authority":        {routes: to(traffic.Route{Rewrite: &traffic.Rewrite{Authority: "a.example"}}), method: put, deadline: true, most: 6},
		"another method":      {routes: to(traffic.Route{Match: []traffic.Match{{Path: traffic.Exact(put)}}, Rewrite: &traffic.Rewrite{Path: get}}), method: put, deadline: true, most: 3},
		"bounded connections": {routes: bounded(), method: put, deadline: true, most: 3},
		"a route's timeout":   {routes: to(traffic.Route{Timeout: time.Minute}), method: put, deadline: true, most: 10},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := under(tc.policy)
			if len(tc.routes.Routes) > 0 {
				cfg.Traffic = tc.routes
			}
			cfg.Discovery = discovery.Static{"orders": {{Addr: "a:1", Metadata: labels("v1")}, {Addr: "b:1", Metadata: labels("v2")}}}
			w := newWorld(t, cfg)
			w.serve("b:1", answer("b").server())
			w.serve("a:1", answer("a").server())
			plain := connect(t, "passthrough:///a:1", grpc.WithContextDialer(w.dialPlain))
			ctx := t.Context()
			if tc.deadline {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Hour)
				defer cancel()
			}
			in, out := new(testpb.SimpleRequest), new(testpb.SimpleResponse)
			measure := func(cc *grpc.ClientConn) float64 { // the least of three, since pools empty now and then
				least := math.Inf(1)
				for range 3 {
					least = min(least, testing.AllocsPerRun(1000, func() {
						if err := cc.Invoke(ctx, tc.method, in, out); err != nil {
							t.Fatal(err)
						}
					}))
				}
				return least
			}
			mesh, bare := measure(w.conn()), measure(plain)
			t.Logf("%s: %.0f allocations more than plain (%.0f)", name, mesh-bare, bare)
			if mesh-bare > tc.most {
				t.Errorf("%.0f allocations more than plain, want at most %.0f", mesh-bare, tc.most)
			}
		})
	}
}

func to(r traffic.Route) traffic.Policy {
	return traffic.Policy{Destinations: subsets, Routes: []traffic.Route{r}}
}

// bounded has connections that are counted, and none of which ends while it is measured.
func bounded() traffic.Policy {
	p := to(traffic.Route{})
	p.Destinations = []traffic.Destination{{Service: "orders", Settings: traffic.Settings{
		Connections: &traffic.Connections{MaxRequests: 1 << 30, IdleTimeout: time.Hour, MaxAge: time.Hour},
	}}}
	return p
}
