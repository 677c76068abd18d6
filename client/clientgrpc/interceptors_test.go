package clientgrpc_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
)

type counts struct{ unary, streams atomic.Int64 }

func (c *counts) options() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, m string, req, reply any, cc *grpc.ClientConn, next grpc.UnaryInvoker, o ...grpc.CallOption) error {
			c.unary.Add(1)
			return next(ctx, m, req, reply, cc, o...)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, d *grpc.StreamDesc, cc *grpc.ClientConn, m string, next grpc.Streamer, o ...grpc.CallOption) (grpc.ClientStream, error) {
			c.streams.Add(1)
			return next(ctx, d, cc, m, o...)
		}),
	}
}

// handler is a stats.Handler that puts something into the context and counts what it is told.
type handler struct{ begun, ended atomic.Int64 }

type handlerKey struct{}

func (h *handler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, handlerKey{}, h)
}

func (h *handler) HandleRPC(ctx context.Context, s stats.RPCStats) {
	switch s.(type) {
	case *stats.Begin:
		h.begun.Add(1)
	case *stats.End:
		h.ended.Add(1)
	}
}
func (h *handler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (h *handler) HandleConn(context.Context, stats.ConnStats)                       {}

// Interceptors before ours run once a call, those after ours and stats handlers once an attempt.
func TestOrderOfInterceptors(t *testing.T) {
	w := newWorld(t, under(fastRetries()), "a:1")
	var calls atomic.Int64
	w.serve("a:1", failing(&calls, unavailable).server())
	var before, between counts
	var h handler
	opts := append(before.options(), clientgrpc.DialOptions(w.c)...)
	opts = append(opts, between.options()...)
	cc := connect(t, "mesh:///orders", append(opts, grpc.WithStatsHandler(&h))...)
	_, _ = run(t.Context(), cc, get)
	if b, a := before.unary.Load(), between.unary.Load(); b != 1 || a != 3 || calls.Load() != 3 || h.begun.Load() != 3 || h.ended.Load() != 3 {
		t.Errorf("unary: %d before, %d after, %d calls, stats %d %d", b, a, calls.Load(), h.begun.Load(), h.ended.Load())
	}
	calls.Store(0)
	_, _ = run(t.Context(), cc, feed)
	if b, a := before.streams.Load(), between.streams.Load(); b != 1 || a != 1 || calls.Load() != 3 {
		t.Errorf("streams: %d before, %d after, %d calls", b, a, calls.Load())
	}
	// The opening of a stream is an attempt, too.
	w.source.push(set("gone:1"))
	eventually(t, "the news", func() bool { return w.nodes()[0].Addr() == "gone:1" })
	before.streams.Store(0)
	between.streams.Store(0)
	_, _ = run(t.Context(), cc, feed)
	if b, a := before.streams.Load(), between.streams.Load(); b != 1 || a != 3 {
		t.Errorf("openings: %d before, %d after", b, a)
	}
}

// Interceptors on a target of grpc's own: the policy holds, and the endpoint is grpc's choice.
func TestInterceptorsRetry(t *testing.T) {
	for name, addr := range map[string]string{"refused by load": "a:1", "not there": "gone:1"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, under(fastRetries()))
			var calls atomic.Int64
			w.serve("a:1", failing(&calls, unavailable, "x-envoy-overloaded", "true").server())
			cc := connect(t, "passthrough:///"+addr, append(clientgrpc.Interceptors(w.c),
				grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return w.net.DialContext(ctx, "", a) }))...)
			for _, method := range []string{get, put} {
				calls.Store(0)
				var info client.Info
				_, err := invoke(client.With(t.Context(), client.Options{Info: &info}), cc, method)
				if err == nil || len(info.Attempts) != 3 || addr == "a:1" && (calls.Load() != 3 || err.Error() != unavailable.Error()) {
					t.Errorf("%s: %d calls, %v, %+v", method, calls.Load(), err, info)
				}
			}
			if _, err := run(t.Context(), cc, push); err == nil || err == io.EOF {
				t.Error(err)
			}
		})
	}
}
