//go:build !race

package clientgrpc_test

import (
	"context"
	"math"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/intramesh/intramesh/resilience"
)

// What the mesh adds to a unary call, interceptor and picker together, in allocations. The number may fall; a change that
// lets it rise needs a reason. Where the caller gives no deadline and the policy does, 11 of them are grpc's own, on both
// sides, for having one.
func TestAllocationsOfUnaryCalls(t *testing.T) {
	for name, tc := range map[string]struct {
		policy   resilience.Policy
		method   string
		deadline bool
		most     float64
	}{
		"standard, once only, with a deadline":    {resilience.Standard(), put, true, 3},
		"standard, idempotent, with a deadline":   {resilience.Standard(), get, true, 10},
		"standard, once only, without a deadline": {resilience.Standard(), put, false, 21},
		"no policy": {resilience.Policy{}, put, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, under(tc.policy), "a:1")
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
