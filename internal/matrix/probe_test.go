package matrix

import (
	"context"
	"net/http"
	"slices"

	"google.golang.org/grpc"
)

// note records an attempt.
func (w *world) note(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts = append(w.attempts, attemptOf(ctx))
}

// noted are the attempts so far.
func (w *world) noted() []attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.attempts)
}

// probe stands beneath the mesh where the caller's own transport does.
type probe struct {
	w  *world
	rt http.RoundTripper
}

func (p probe) RoundTrip(r *http.Request) (*http.Response, error) {
	p.w.note(r.Context())
	return p.rt.RoundTrip(r)
}

func (w *world) probeUnary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	w.note(ctx)
	return invoke(ctx, method, req, reply, cc, opts...)
}

func (w *world) probeStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	w.note(ctx)
	return open(ctx, desc, cc, method, opts...)
}
