package servergrpc

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/server"
)

// Certificates and the authority are replaced while clients of grpc's own call without a pause: no call fails.
func TestRotationUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		authority, err := ca.New(ca.Config{TrustDomain: "shop", TTL: time.Minute, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer authority.Close()
		identity := func(id string) security.Identity {
			i, err := authority.Identity(id)
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		sh := &shop{t: t, net: new(memnet.Network)}
		sh.open(server.Config{Identity: identity("/orders"), Authorize: security.AllowID("spiffe://shop/web")})
		sh.serve(service{unary: func(_ context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			time.Sleep(time.Duration(in.ResponseSize) * time.Second)
			return &testpb.SimpleResponse{}, nil
		}})
		web := identity("/web")

		ctx, stop := context.WithCancel(t.Context())
		var calls atomic.Int64
		var wg sync.WaitGroup
		for _, seconds := range []int32{0, 0, 5, 5} {
			c := sh.client(sh.as(web))
			wg.Go(func() {
				for ctx.Err() == nil {
					n := calls.Add(1)
					if _, err := c.UnaryCall(t.Context(), &testpb.SimpleRequest{ResponseSize: seconds}); err != nil {
						t.Errorf("call %d: %v", n, err)
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		for range 2 {
			if err := authority.Rotate(ctx, time.Second); err != nil {
				t.Error(err)
			}
		}
		stop()
		wg.Wait()
		if n := calls.Load(); n < 1000 {
			t.Errorf("%d calls only", n)
		}
		if sh.log.String() != "" {
			t.Errorf("log:\n%s", sh.log.String())
		}
	})
}
