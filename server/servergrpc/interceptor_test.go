package servergrpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// buffer is a log that can be read while others write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// answer is all that a caller gets to know.
type answer struct {
	Messages        []string
	Header, Trailer metadata.MD
	Status          *status.Status
}

// callUnary and callOutput make a call and note everything that comes back.
func callUnary(ctx context.Context, c testpb.TestServiceClient, opts ...grpc.CallOption) (a answer) {
	out, err := c.UnaryCall(ctx, &testpb.SimpleRequest{Payload: text("in")},
		append(opts, grpc.Header(&a.Header), grpc.Trailer(&a.Trailer))...)
	if err == nil {
		a.Messages = append(a.Messages, string(out.Payload.Body))
	}
	a.Status = status.Convert(err)
	return a
}

func callOutput(ctx context.Context, c testpb.TestServiceClient, opts ...grpc.CallOption) (a answer) {
	st, err := c.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{Payload: text("in")}, opts...)
	for err == nil {
		var out *testpb.StreamingOutputCallResponse
		if out, err = st.Recv(); err == nil {
			a.Messages = append(a.Messages, string(out.Payload.Body))
		}
	}
	if st != nil {
		a.Header, _ = st.Header()
		a.Trailer = st.Trailer()
	}
	if err != io.EOF {
		a.Status = status.Convert(err)
	}
	return a
}

func detailed() error {
	st, _ := status.New(codes.FailedPrecondition, "not so").WithDetails(&testpb.SimpleRequest{ResponseSize: 7})
	return st.Err()
}

// What a handler says arrives as it does without us.
func TestAnswersArriveUnchanged(t *testing.T) {
	var fail error
	svc := service{
		unary: func(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			_ = grpc.SetHeader(ctx, metadata.Pairs("h", "1", "bin-bin", "\x00\xff"))
			_ = grpc.SetTrailer(ctx, metadata.Pairs("t", "1", "t", "2"))
			return &testpb.SimpleResponse{Payload: text("re: " + string(in.Payload.Body))}, fail
		},
		output: func(in *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
			_ = st.SetHeader(metadata.Pairs("h", "1"))
			for i := range 3 {
				if err := st.Send(&testpb.StreamingOutputCallResponse{Payload: text(fmt.Sprint(i, strings.Repeat("x", 100_000)))}); err != nil {
					return err
				}
			}
			st.SetTrailer(metadata.Pairs("t", "1", "t", "2"))
			return fail
		},
	}
	plain := serve(t, svc, nil)
	ours := serve(t, svc, ServerOptions(mustNew(t, io.Discard)))
	for name, err := range map[string]error{
		"ok": nil, "details": detailed(), "no status": errors.New("bare"), "context": context.Canceled, "eof": io.EOF,
	} {
		fail = err
		for _, opts := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
			if d := cmp.Diff(callUnary(t.Context(), plain, opts...), callUnary(t.Context(), ours, opts...), compare); d != "" {
				t.Errorf("unary, %s: %s", name, d)
			}
			if d := cmp.Diff(callOutput(t.Context(), plain, opts...), callOutput(t.Context(), ours, opts...), compare); d != "" {
				t.Errorf("stream, %s: %s", name, d)
			}
		}
	}
}

var compare = cmp.Options{protocmp.Transform(), cmp.Transformer("status", func(s *status.Status) any { return s.Proto() })}

func TestFullDuplex(t *testing.T) {
	c := serve(t, service{duplex: func(st testpb.TestService_FullDuplexCallServer) error {
		for {
			in, err := st.Recv()
			if err == io.EOF {
				return st.Send(&testpb.StreamingOutputCallResponse{Payload: text("after half-close")})
			}
			if err != nil {
				return err
			}
			if err := st.Send(&testpb.StreamingOutputCallResponse{Payload: in.Payload}); err != nil {
				return err
			}
		}
	}}, ServerOptions(mustNew(t, io.Discard)))
	st, err := c.FullDuplexCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "b"} {
		_ = st.Send(&testpb.StreamingOutputCallRequest{Payload: text(want)})
		if out, err := st.Recv(); err != nil || string(out.Payload.Body) != want {
			t.Fatalf("%v, %v", out, err)
		}
	}
	_ = st.CloseSend()
	if out, err := st.Recv(); err != nil || string(out.Payload.Body) != "after half-close" {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := st.Recv(); err != io.EOF {
		t.Error(err)
	}
}

func TestPanics(t *testing.T) {
	var log buffer
	c := serve(t, service{
		unary: func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) { panic("boom secretless") },
		output: func(_ *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
			_ = st.Send(&testpb.StreamingOutputCallResponse{Payload: text("first")})
			panic(errors.New("boom again"))
		},
	}, ServerOptions(mustNew(t, &log)))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "hunter2")
	for name, a := range map[string]answer{"unary": callUnary(ctx, c), "stream": callOutput(ctx, c)} {
		if a.Status.Code() != codes.Internal || a.Status.Message() != "internal error" {
			t.Errorf("%s: %v", name, a.Status)
		}
		if name == "stream" && len(a.Messages) != 1 {
			t.Errorf("messages before the panic: %q", a.Messages)
		}
	}
	for _, want := range []string{
		"boom secretless", "boom again", "protocol=grpc", "method=/grpc.testing.TestService/UnaryCall", "interceptor_test.go",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log", want)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 || strings.Contains(log.String(), "hunter2") {
		t.Errorf("%d reports: %s", n, log.String())
	}
}

func TestAttemptReachesTheHandler(t *testing.T) {
	got := 0
	look := func(ctx context.Context) {
		got = 0
		if in := call.InboundFrom(ctx); in != nil {
			got = in.Attempt
		}
	}
	c := serve(t, service{
		unary: func(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			look(ctx)
			return &testpb.SimpleResponse{Payload: text("")}, nil
		},
		output: func(_ *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
			look(st.Context())
			return nil
		},
	}, ServerOptions(mustNew(t, io.Discard)))
	for previous, want := range map[string]int{"": 0, "0": 0, "1": 2, "4": 5, "x": 0, "-1": 0, "99999999999999999999": 0} {
		ctx := t.Context()
		if previous != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, call.HeaderPreviousAttempts, previous)
		}
		if callUnary(ctx, c); got != want {
			t.Errorf("unary, %q: attempt %d, want %d", previous, got, want)
		}
		if callOutput(ctx, c); got != want {
			t.Errorf("stream, %q: attempt %d, want %d", previous, got, want)
		}
	}
}

func TestExpiredCallIsRefusedBeforeWork(t *testing.T) {
	i := &interceptor{core: mustNew(t, io.Discard).Core()}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := i.unary(ctx, nil, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) {
		t.Error("the handler was called")
		return nil, nil
	})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Error(err)
	}
	err = i.stream(nil, bareStream{ctx: ctx}, &grpc.StreamServerInfo{}, func(any, grpc.ServerStream) error {
		t.Error("the handler was called")
		return nil
	})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Error(err)
	}
}

type bareStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s bareStream) Context() context.Context { return s.ctx }

func TestShed(t *testing.T) {
	refuse := fmt.Errorf("queue of 12 is full: %w", resilience.ErrShed)
	c := serve(t, service{
		unary: func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) { return nil, refuse },
		output: func(*testpb.StreamingOutputCallRequest, testpb.TestService_StreamingOutputCallServer) error {
			return refuse
		},
	}, ServerOptions(mustNew(t, io.Discard)))
	for name, a := range map[string]answer{"unary": callUnary(t.Context(), c), "stream": callOutput(t.Context(), c)} {
		if a.Status.Code() != codes.Unavailable || !strings.Contains(a.Status.Message(), "queue of 12 is full") {
			t.Errorf("%s: %v", name, a.Status)
		}
		if mark := a.Trailer.Get(call.HeaderOverloaded); len(mark) != 1 || mark[0] != "true" {
			t.Errorf("%s: trailer %v", name, a.Trailer)
		}
		if len(a.Header) != 0 {
			t.Errorf("%s: not trailers-only, header %v", name, a.Header)
		}
	}
}

// A proxy's stream handler passes on what an upstream said, but not its claim that no work was done.
func TestCopiedMarkIsRemoved(t *testing.T) {
	upstream := metadata.Pairs(call.HeaderOverloaded, "true", "t", "1")
	c := serve(t, service{output: func(_ *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
		st.SetTrailer(upstream)
		return status.Error(codes.Unavailable, "upstream is busy")
	}}, ServerOptions(mustNew(t, io.Discard)))
	a := callOutput(t.Context(), c)
	if len(a.Trailer.Get(call.HeaderOverloaded)) != 0 || a.Trailer.Get("t")[0] != "1" || a.Status.Code() != codes.Unavailable {
		t.Errorf("%v, trailer %v", a.Status, a.Trailer)
	}
	if len(upstream.Get(call.HeaderOverloaded)) == 0 {
		t.Error("the handler's own map was changed")
	}
}

func TestAllocations(t *testing.T) {
	i := &interceptor{core: mustNew(t, io.Discard).Core()}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	ctx = metadata.NewIncomingContext(ctx, metadata.Pairs("user-agent", "x", ":authority", "y", "traceparent", "z"))
	info, req := &grpc.UnaryServerInfo{FullMethod: "/a/b"}, any(&testpb.Empty{})
	handler := func(context.Context, any) (any, error) { return req, nil }
	if n := testing.AllocsPerRun(1000, func() { _, _ = i.unary(ctx, req, info, handler) }); n != 0 {
		t.Errorf("%v allocations a unary call", n)
	}
	ss := grpc.ServerStream(&bareStream{ctx: ctx})
	streamInfo := &grpc.StreamServerInfo{FullMethod: "/a/b"}
	streamHandler := func(any, grpc.ServerStream) error { return nil }
	if n := testing.AllocsPerRun(1000, func() { _ = i.stream(nil, ss, streamInfo, streamHandler) }); n > 1 {
		t.Errorf("%v allocations a stream", n)
	}
}

func FuzzAttempt(f *testing.F) {
	f.Add("1")
	f.Add("-1")
	f.Add("1073741824")
	f.Add("\u0661")
	f.Fuzz(func(t *testing.T, v string) {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.MD{call.HeaderPreviousAttempts: {v}})
		if n := attempt(ctx); n < 0 || n > 1<<30 {
			t.Errorf("attempt %d", n)
		}
	})
}
