package clientgrpc_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/resilience"
)

// TestLimit: a stream holds its place until it is over; connections are shared, so nobody waits for one.
func TestLimit(t *testing.T) {
	p := resilience.Policy{Limit: &resilience.Limit{Connections: 1, Pending: -1, Requests: 2}}
	inBubble(t, p, []jobs{echo("a"), echo("b")}, func(t *testing.T, _ *world, cc *grpc.ClientConn) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 2 {
			if _, err := cc.NewStream(ctx, duplex, push); err != nil {
				t.Fatal(err)
			}
		}
		_, err := run(t.Context(), cc, put)
		var e *client.Error
		if !errors.As(err, &e) || e.Reason != client.Limited || e.Attempts != 0 || status.Code(err) != codes.Unavailable ||
			!errors.Is(err, resilience.ErrLimited) {
			t.Errorf("%v", err)
		}
		cancel()
		synctest.Wait()
		for range 5 {
			if err := cc.Invoke(t.Context(), put, &testpb.SimpleRequest{}, new(testpb.SimpleResponse)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
