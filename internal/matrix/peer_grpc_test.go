package matrix

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// grpcPeer serves grpc's own test service with the handlers of the gRPC columns. It is plain grpc-go.
type grpcPeer struct {
	testpb.UnimplementedTestServiceServer
	*peer
}

var (
	peerHeader  = metadata.Pairs("x-peer", "one", "x-peer", "two", "x-peer-bin", "\x00\xff")
	peerTrailer = metadata.Pairs("x-sum", "iii")
)

// meet does what all methods begin with. An error ends the call.
func (g grpcPeer) meet(ctx context.Context, setTrailer func(metadata.MD)) (*sight, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	method, _ := grpc.Method(ctx)
	s := &sight{Method: method, Header: md, Left: left(ctx)}
	if a := md[":authority"]; len(a) > 0 {
		s.Authority = a[0]
	}
	switch g.arrive(s) {
	case refusesOnce:
		setTrailer(metadata.Pairs("x-peer", "busy"))
		return s, withDetails(codes.Unavailable, "busy")
	case breaksOnce:
		g.breaks()
		return s, status.Error(codes.Internal, "nobody hears this")
	case panics:
		panic("matrix: a handler that panics")
	case silent:
		<-ctx.Done()
		g.told()
		return s, status.FromContextError(ctx.Err()).Err()
	default:
		return s, nil
	}
}

func withDetails(c codes.Code, text string) error {
	s, err := status.New(c, text).WithDetails(&testpb.Payload{Body: []byte("why")})
	if err != nil {
		panic(err)
	}
	return s.Err()
}

// meetStream is meet for streams; what follows it may send.
func (g grpcPeer) meetStream(st grpc.ServerStream) (*sight, error) {
	s, err := g.meet(st.Context(), st.SetTrailer)
	if err != nil {
		return s, err
	}
	st.SetTrailer(peerTrailer)
	err = st.SendHeader(peerHeader)
	if !g.dawdles(st.Context()) {
		err = status.FromContextError(st.Context().Err()).Err()
	}
	return s, err
}

func (g grpcPeer) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	s, err := g.meet(ctx, func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) })
	if err != nil {
		return nil, err
	}
	if !g.dawdles(ctx) {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	g.hears(s, string(in.GetPayload().GetBody()))
	_ = grpc.SetTrailer(ctx, peerTrailer)
	_ = grpc.SetHeader(ctx, peerHeader)
	return &testpb.SimpleResponse{Payload: text("hello")}, nil
}

func (g grpcPeer) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
	s, err := g.meetStream(st)
	if err != nil {
		return err
	}
	g.hears(s, string(in.GetPayload().GetBody()))
	for _, word := range words {
		if err := st.Send(&testpb.StreamingOutputCallResponse{Payload: text(word)}); err != nil {
			return err
		}
	}
	return nil
}

func (g grpcPeer) StreamingInputCall(st testpb.TestService_StreamingInputCallServer) error {
	s, err := g.meetStream(st)
	if err != nil {
		return err
	}
	for {
		in, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return st.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: int32(len(words))})
		}
		if err != nil {
			return err
		}
		g.hears(s, string(in.GetPayload().GetBody()))
	}
}

// FullDuplexCall answers each message at once and ends with a status that has details.
func (g grpcPeer) FullDuplexCall(st testpb.TestService_FullDuplexCallServer) error {
	s, err := g.meetStream(st)
	if err != nil {
		return err
	}
	for {
		in, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return withDetails(codes.Aborted, "that was all")
		}
		if err != nil {
			return err
		}
		g.hears(s, string(in.GetPayload().GetBody()))
		if err := st.Send(&testpb.StreamingOutputCallResponse{Payload: in.GetPayload()}); err != nil {
			return err
		}
	}
}

func text(s string) *testpb.Payload { return &testpb.Payload{Body: []byte(s)} }
