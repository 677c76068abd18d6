package clientgrpc

import (
	"context"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// unary is one unary call.
type unary struct {
	rpc

	invoke     grpc.UnaryInvoker
	req, reply any
}

// unary is the interceptor.
func (d *dialer) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	u := &unary{invoke: invoke, req: req, reply: reply}
	u.start(ctx, d, cc, method, opts)
	u.Wire = u
	err := u.do()
	if err != nil {
		err = convert(err)
	} else {
		err = u.Last().Outcome.Err
		u.reshapeHeader()
		u.Finish()
	}
	u.tell(err)
	return err
}

// errLostStatus stands for a status that grpc has lost: where it repeats a call, and what it sends again meets a stream
// that is over, it returns io.EOF as it is. (For a stream that would even be success, see stream.RecvMsg.)
var errLostStatus = status.Error(codes.Unavailable, "intramesh: the connection was lost again while the call was repeated")

// Try makes one attempt.
func (u *unary) Try(a *stack.Attempt) {
	ctx := u.outgoing(a)
	u.readdress(a)
	if u.Direct && u.Retries() {
		u.tryDirect(ctx, a)
		return
	}
	err := u.invoke(ctx, u.sent, u.req, u.reply, u.conn, u.opts...)
	if err == io.EOF { //nolint:errorlint // grpc's very own
		err = errLostStatus
	}
	err = u.spoil(a, err)
	a.Outcome = u.outcome(a, err)
	u.settle(err)
}

// tryDirect makes an attempt over a connection whose picker is not ours: what our picker would have seen is asked for by
// call options. A peer that is not there says that no stream was ever created.
func (u *unary) tryDirect(ctx context.Context, a *stack.Attempt) {
	var p peer.Peer
	var trailer metadata.MD
	opts := append(slices.Clip(u.opts), grpc.Peer(&p), grpc.Trailer(&trailer))
	err := u.invoke(ctx, u.sent, u.req, u.reply, u.conn, opts...)
	if p.Addr != nil {
		a.Addr = p.Addr.String()
	}
	err = u.spoil(a, err)
	if err == nil {
		return
	}
	u.picked.trailer = trailer
	a.Outcome = u.outcome(a, err)
	if p.Addr == nil && a.Outcome.Code == call.Unavailable {
		a.Outcome.Sent = call.SentNo
	}
}

// Drop forgets what the attempt told the caller through call options: the next one may have less to tell, if it finds no
// connection, and one call must not show parts of two.
func (u *unary) Drop(*stack.Attempt) {
	for _, o := range u.opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = nil
		case grpc.TrailerCallOption:
			*o.TrailerAddr = nil
		case grpc.PeerCallOption:
			*o.PeerAddr = peer.Peer{}
		}
	}
}
