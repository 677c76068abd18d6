package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	service  = "orders"
	deadline = 10 * time.Second // of each call
)

var message = bytes.Repeat([]byte("x"), 128)

var errAnswer = errors.New("the answer is not what was sent")

// echo is a service that needs no generated code: it takes and gives google.protobuf.BytesValue.
var echo = grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: serveUnary}},
	Streams:     []grpc.StreamDesc{{StreamName: "Stream", Handler: serveStream, ClientStreams: true, ServerStreams: true}},
}

//nolint:revive // the order of the arguments is grpc's
func serveUnary(srv any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
	in := new(wrapperspb.BytesValue)
	if err := dec(in); err != nil {
		return nil, err
	}
	handler := func(_ context.Context, in any) (any, error) { return in, nil }
	if chain == nil {
		return handler(ctx, in)
	}
	return chain(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/bench.Echo/Unary"}, handler)
}

func serveStream(_ any, s grpc.ServerStream) error {
	for {
		in := new(wrapperspb.BytesValue)
		if err := s.RecvMsg(in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.SendMsg(in); err != nil {
			return err
		}
	}
}

func unaryOp(conn *grpc.ClientConn, _ *rig) (op, error) {
	static := grpc.StaticMethod() // as generated code does
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		in, out := wrapperspb.Bytes(message), new(wrapperspb.BytesValue)
		if err := conn.Invoke(ctx, "/bench.Echo/Unary", in, out, static); err != nil {
			return err
		}
		return check(out)
	}, nil
}

// streamOp keeps one stream open; a message there and back is a call.
func streamOp(conn *grpc.ClientConn, r *rig) (op, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r.onClose(cancel)
	s, err := conn.NewStream(ctx, &echo.Streams[0], "/bench.Echo/Stream", grpc.StaticMethod())
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := s.SendMsg(wrapperspb.Bytes(message)); err != nil {
			return err
		}
		out := new(wrapperspb.BytesValue)
		if err := s.RecvMsg(out); err != nil {
			return err
		}
		return check(out)
	}, nil
}

func check(out *wrapperspb.BytesValue) error {
	if len(out.GetValue()) != len(message) {
		return errAnswer
	}
	return nil
}

// serveGRPC starts a server on loopback and says where it listens.
//
// A nil cfg leaves the credentials to the options.
func serveGRPC(r *rig, cfg *tls.Config, listeners int, opts ...grpc.ServerOption) ([]string, error) {
	if cfg != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(cfg)))
	}
	s := grpc.NewServer(opts...)
	s.RegisterService(&echo, nil)
	r.onClose(s.Stop)
	return listen(listeners, func(l net.Listener) { _ = s.Serve(l) }) // it ends with Stop
}

// listen opens listeners and serves each on a goroutine of its own; serve closes them when it ends.
func listen(n int, serve func(net.Listener)) (addrs []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		go serve(l)
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

// connectGRPC fills the rig with the callers of one grpc.ClientConn to a number of servers.
func connectGRPC(r *rig, s setup, newOp newGRPCOp, servers int, target string, opts ...grpc.DialOption) error {
	conn, err := grpc.NewClient(target, opts...)
	if err != nil {
		return err
	}
	r.onClose(func() { _ = conn.Close() })
	if err := warmUp(conn, servers); err != nil {
		return err
	}
	for range s.callers {
		call, err := newOp(conn, r)
		if err != nil {
			return err
		}
		r.ops = append(r.ops, call)
	}
	return nil
}

// warmUp calls until every server has answered. Streams stay for good where they are opened, and every balancer, grpc's own
// included, opens them on what is connected by then: the first moment alone would decide how many messages leave in one write.
func warmUp(conn *grpc.ClientConn, servers int) error {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	answered := make(map[string]struct{})
	for len(answered) < servers {
		var p peer.Peer
		if err := conn.Invoke(ctx, "/bench.Echo/Unary", wrapperspb.Bytes(message), new(wrapperspb.BytesValue), grpc.Peer(&p)); err != nil {
			return err
		}
		answered[p.Addr.String()] = struct{}{}
	}
	return nil
}

func withTLS(cfg *tls.Config) grpc.DialOption {
	return grpc.WithTransportCredentials(credentials.NewTLS(cfg))
}
