package clientgrpc

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/intramesh/intramesh/internal/stack"
)

// unary is one unary call.
type unary struct {
	rpc
	invoke     grpc.UnaryInvoker
	req, reply any
	opts       []grpc.CallOption
	finished   []grpc.OnFinishCallOption // the caller's, run once a call and not once an attempt
}

// unary is the interceptor.
func (d *dialer) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	u := &unary{invoke: invoke, req: req, reply: reply, opts: opts}
	u.start(ctx, d, cc, method)
	u.Wire = u
	u.holdBack()
	err := d.core.Do(&u.Call)
	if err != nil {
		err = convert(err)
	} else {
		err = u.Last().Outcome.Err
		u.Finish()
	}
	for _, f := range u.finished {
		f.OnFinish(err)
	}
	return err
}

// holdBack takes the options out that would otherwise run once for each attempt.
func (u *unary) holdBack() {
	for i, o := range u.opts {
		if _, ok := o.(grpc.OnFinishCallOption); !ok {
			continue
		}
		keep := append([]grpc.CallOption(nil), u.opts[:i]...)
		for _, o := range u.opts[i:] {
			if f, ok := o.(grpc.OnFinishCallOption); ok {
				u.finished = append(u.finished, f)
			} else {
				keep = append(keep, o)
			}
		}
		u.opts = keep
		return
	}
}

// Try makes one attempt.
func (u *unary) Try(a *stack.Attempt) {
	ctx := u.outgoing(a)
	if u.Direct && u.Retries() {
		u.tryDirect(ctx, a)
		return
	}
	err := u.invoke(ctx, u.Method, u.req, u.reply, u.conn, u.opts...)
	a.Outcome = u.outcome(err)
}

// tryDirect makes an attempt over a connection whose picker is not ours: what our picker would have seen is asked for by
// call options. A peer that is not there says that no stream was ever created.
func (u *unary) tryDirect(ctx context.Context, a *stack.Attempt) {
	var p peer.Peer
	var trailer metadata.MD
	opts := append(slices.Clip(u.opts), grpc.Peer(&p), grpc.Trailer(&trailer))
	err := u.invoke(ctx, u.Method, u.req, u.reply, u.conn, opts...)
	u.picked.times, u.picked.sent, u.picked.trailer = 1, p.Addr != nil, trailer
	a.Outcome = u.outcome(err)
	if p.Addr != nil {
		a.Addr = p.Addr.String()
	}
}

// Drop has nothing to give up: a unary attempt that failed is over.
func (u *unary) Drop(*stack.Attempt) {}
