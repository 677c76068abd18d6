package servergrpc

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

type interceptor struct{ core *stack.Server }

// errPanicked is all that a caller learns of a panic; the log has the rest.
var errPanicked = status.Error(codes.Internal, "internal error")

// served keeps what the layers need for one unary call. A pool is safe here: handlers never see it.
var served = sync.Pool{New: func() any { return new(stack.Serve) }}

func (i *interceptor) unary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (reply any, err error) {
	c := served.Get().(*stack.Serve)
	i.arrive(ctx, c, info.FullMethod)
	if err := i.core.Begin(c); err != nil {
		release(c)
		return nil, refusal(err)
	}
	admit(c)
	defer func() {
		if c.Panic = recover(); c.Panic != nil {
			reply, err = nil, errPanicked
		}
		conclude(c, err)
		i.core.End(c)
		release(c)
	}()
	reply, err = handler(c.Ctx, req)
	if err != nil {
		err = shed(err, func(md trailer) { _ = grpc.SetTrailer(ctx, md) })
	}
	return reply, err
}

func release(c *stack.Serve) {
	*c = stack.Serve{}
	served.Put(c)
}

// arrive fills in what the wire says. The deadline is in grpc's own context already.
func (i *interceptor) arrive(ctx context.Context, c *stack.Serve, method string) {
	c.Ctx, c.Protocol, c.Method, c.Attempt = ctx, call.GRPC, method, attempt(ctx)
	in := (*incoming)(c)
	c.Request, c.Remote = in, in
	if i.core.Guard.WantsHost() {
		c.Host = in.first(":authority")
	}
}

// admit lets the handler ask who the peer is.
func admit(c *stack.Serve) {
	if p := c.Judged.Asks.Peer; p != nil {
		c.Ctx = stack.WithPeer(c.Ctx, p)
	}
}

func (i *interceptor) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	st := &stream{ServerStream: ss}
	c := &st.serve
	c.Unregistered = srv == nil // the handler of last resort serves it
	i.arrive(ss.Context(), c, info.FullMethod)
	if err := i.core.Begin(c); err != nil {
		return refusal(err)
	}
	admit(c)
	defer func() {
		if c.Panic == nil {
			c.Panic = recover()
		}
		if c.Panic != nil {
			err = errPanicked
		}
		conclude(c, err)
		i.core.End(c)
	}()
	if c.Judged.Again {
		e := i.lasting(srv, st, handler)
		if e.revoked {
			return refusal(e.err)
		}
		err, c.Panic, c.Stack = e.err, e.panic, e.stack
	} else {
		err = handler(srv, st)
	}
	if err != nil {
		err = shed(err, ss.SetTrailer)
	}
	return err
}

// stream is the stream that a handler gets: with the context that the layers made, and no mark but our own in its
// trailer. Messages go straight to the stream inside.
type stream struct {
	grpc.ServerStream
	serve stack.Serve
}

func (s *stream) Context() context.Context { return s.serve.Ctx }

func (s *stream) SetTrailer(md trailer) { s.ServerStream.SetTrailer(stripMark(md)) }
