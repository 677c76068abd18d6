package matrix

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
)

func service(c *caller) testpb.TestServiceClient { return testpb.NewTestServiceClient(c.cc) }

// introduced is ctx with metadata of the caller's own.
func introduced(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-caller", "me", "x-caller", "myself", "x-caller-bin", "\x00\xff")
}

func unary(ctx context.Context, c *caller) answer {
	var header, trailer metadata.MD
	reply, err := service(c).UnaryCall(introduced(ctx), &testpb.SimpleRequest{Payload: text(words[0])},
		grpc.Header(&header), grpc.Trailer(&trailer))
	var body []string
	if err == nil {
		body = []string{string(reply.GetPayload().GetBody())}
	}
	return ofGRPC(body, header, trailer, err)
}

func serverStream(ctx context.Context, c *caller) answer {
	st, err := service(c).StreamingOutputCall(introduced(ctx), &testpb.StreamingOutputCallRequest{Payload: text(words[0])})
	if err != nil {
		return ofGRPC(nil, nil, nil, err)
	}
	var body []string
	for {
		m, err := st.Recv()
		if err != nil {
			return ofStream(st, body, err)
		}
		body = append(body, string(m.GetPayload().GetBody()))
	}
}

func clientStream(ctx context.Context, c *caller) answer {
	st, err := service(c).StreamingInputCall(introduced(ctx))
	if err != nil {
		return ofGRPC(nil, nil, nil, err)
	}
	for _, w := range words {
		if st.Send(&testpb.StreamingInputCallRequest{Payload: text(w)}) != nil {
			break // what it was comes with the reply
		}
	}
	m, err := st.CloseAndRecv()
	var body []string
	if err == nil {
		body = []string{m.String()}
	}
	return ofStream(st, body, err)
}

// bidi sends a message when the one before has been answered.
func bidi(ctx context.Context, c *caller) answer {
	st, err := service(c).FullDuplexCall(introduced(ctx))
	if err != nil {
		return ofGRPC(nil, nil, nil, err)
	}
	var body []string
	for _, w := range words {
		if st.Send(&testpb.StreamingOutputCallRequest{Payload: text(w)}) != nil {
			break
		}
		m, err := st.Recv()
		if err != nil {
			return ofStream(st, body, err)
		}
		body = append(body, string(m.GetPayload().GetBody()))
	}
	_ = st.CloseSend()
	_, err = st.Recv()
	return ofStream(st, body, err)
}

// ofStream reads how a stream ended; io.EOF is its way to say OK.
func ofStream(st grpc.ClientStream, body []string, err error) answer {
	if errors.Is(err, io.EOF) {
		err = nil
	}
	header, _ := st.Header()
	return ofGRPC(body, header, st.Trailer(), err)
}
