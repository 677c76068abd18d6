package clientgrpc_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/intramesh/intramesh/resilience"
)

// TestSplitLocalOrigin: a server that says UNAVAILABLE answers; one that lets the time run out does not.
func TestSplitLocalOrigin(t *testing.T) {
	silent := func(_ string, s grpc.ServerStream) error {
		<-s.Context().Done()
		time.Sleep(time.Second) // the time runs out on both sides at the same moment: the server must not be the first to say so
		return s.Context().Err()
	}
	answers := resilience.Outlier{Jitter: -1, SplitLocalOrigin: true, ConsecutiveLocalOrigin: -1}
	local := resilience.Outlier{Jitter: -1, SplitLocalOrigin: true, Consecutive5xx: -1}
	for _, tt := range []struct {
		name string
		job  jobs
		set  resilience.Outlier
		want int64 // calls of the bad one of two, of 20
	}{
		{"a status is an answer", fails(codes.Unavailable), answers, 5},
		{"a status is no lack of an answer", fails(codes.Unavailable), local, 10},
		{"silence is the lack of an answer", silent, local, 5},
		{"silence is no bad answer", silent, answers, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var bad atomic.Int64
			servers := []jobs{answer("a"), counted(&bad, tt.job)}
			inBubble(t, resilience.Policy{Outlier: &tt.set}, servers, func(t *testing.T, _ *world, cc *grpc.ClientConn) {
				for range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					_, _ = run(ctx, cc, put)
					cancel()
					synctest.Wait()
				}
				if n := bad.Load(); n != tt.want {
					t.Errorf("%d calls, want %d", n, tt.want)
				}
				time.Sleep(2 * time.Second) // for the handlers
			})
		})
	}
}
