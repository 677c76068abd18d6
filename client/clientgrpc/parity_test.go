package clientgrpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/grpc/test/bufconn"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// full is a server of grpc's test service that shows whatever a client may get to see.
type full struct {
	testpb.UnimplementedTestServiceServer

	began chan struct{} // takes word of each empty call, where somebody listens
}

// seen tells the client what arrived beside the messages.
func seen(ctx context.Context) metadata.MD {
	in, _ := metadata.FromIncomingContext(ctx)
	out := metadata.MD{}
	for k, v := range in {
		if !slices.Contains([]string{"user-agent", "grpc-accept-encoding"}, k) {
			out["saw-"+strings.Trim(k, ":")] = v
		}
	}
	_, timed := ctx.Deadline()
	out.Set("saw-deadline", fmt.Sprint(timed))
	return out
}

func (f full) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	select {
	case f.began <- struct{}{}:
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (full) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	_ = grpc.SetHeader(ctx, seen(ctx))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("t", "1", "t", "2", "b-bin", "\x00\xff"))
	if s := in.GetResponseStatus(); s != nil {
		st, _ := status.New(codes.Code(s.Code), s.Message).WithDetails(&errdetails.ErrorInfo{Reason: "R", Domain: "D"})
		return nil, st.Err()
	}
	return &testpb.SimpleResponse{Payload: &testpb.Payload{Body: make([]byte, in.ResponseSize)}, Username: fmt.Sprint(len(in.Payload.GetBody()))}, nil
}

func (full) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, s testpb.TestService_StreamingOutputCallServer) error {
	_ = s.SetHeader(seen(s.Context()))
	s.SetTrailer(metadata.Pairs("t", "1"))
	for _, p := range in.ResponseParameters {
		if err := s.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: make([]byte, p.Size)}}); err != nil {
			return err
		}
	}
	if st := in.ResponseStatus; st != nil {
		return status.Error(codes.Code(st.Code), st.Message)
	}
	return nil
}

func (full) StreamingInputCall(s testpb.TestService_StreamingInputCallServer) error {
	sum := 0
	for {
		in, err := s.Recv()
		if err == io.EOF {
			return s.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: int32(sum)})
		}
		if err != nil {
			return err
		}
		if sum += len(in.Payload.Body); string(in.Payload.Body) == "stop" {
			return status.Error(codes.OutOfRange, "enough")
		}
	}
}

func (full) FullDuplexCall(s testpb.TestService_FullDuplexCallServer) error {
	if err := s.SendHeader(seen(s.Context())); err != nil {
		return err
	}
	for {
		in, err := s.Recv()
		if err == io.EOF {
			s.SetTrailer(metadata.Pairs("bye", "1"))
			return nil
		}
		if err != nil {
			return err
		}
		if st := in.ResponseStatus; st != nil {
			return status.Error(codes.Code(st.Code), st.Message)
		}
		if err := s.Send(&testpb.StreamingOutputCallResponse{Payload: in.Payload}); err != nil {
			return err
		}
	}
}

func (full) HalfDuplexCall(s testpb.TestService_HalfDuplexCallServer) error {
	var all []*testpb.Payload
	for {
		in, err := s.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		all = append(all, in.Payload)
	}
	for _, p := range all {
		if err := s.Send(&testpb.StreamingOutputCallResponse{Payload: p}); err != nil {
			return err
		}
	}
	return nil
}

// script notes what a caller sees.
type script struct{ strings.Builder }

func (s *script) say(what string, v ...any) { fmt.Fprintf(s, what+"\n", v...) }

func (s *script) end(err error) {
	st := status.Convert(err)
	s.say("end: %T %v %q %d details eof=%v", err, st.Code(), st.Message(), len(st.Details()), err == io.EOF)
}

func (s *script) md(name string, md metadata.MD) {
	for _, k := range slices.Sorted(func(yield func(string) bool) {
		for k := range md {
			if !yield(k) {
				return
			}
		}
	}) {
		if k != "saw-authority" {
			s.say("%s %s=%q", name, k, md[k])
		}
	}
}

type link struct {
	testpb.TestServiceClient
	cc    *grpc.ClientConn
	began <-chan struct{} // says when the server has an empty call
}

func body(n int) *testpb.Payload { return &testpb.Payload{Body: bytes.Repeat([]byte("x"), n)} }

// scenarios are what callers do.
var scenarios = map[string]func(ctx context.Context, l link, s *script){
	"unary with metadata": func(ctx context.Context, l link, s *script) {
		ctx = metadata.AppendToOutgoingContext(ctx, "k", "1", "k", "2", "bin-bin", "\x00\x01")
		var h, t metadata.MD
		var p peer.Peer
		r, err := l.UnaryCall(ctx, &testpb.SimpleRequest{Payload: body(3), ResponseSize: 5}, grpc.Header(&h), grpc.Trailer(&t), grpc.Peer(&p))
		s.md("header", h)
		s.md("trailer", t)
		s.say("%d %s peer=%v", len(r.GetPayload().GetBody()), r.GetUsername(), p.Addr != nil)
		s.end(err)
	},
	"unary error with details": func(ctx context.Context, l link, s *script) {
		var h, t metadata.MD
		for _, c := range []codes.Code{codes.NotFound, codes.Internal, codes.Unknown, codes.ResourceExhausted, codes.Unavailable, codes.Canceled, codes.DeadlineExceeded, 77} {
			_, err := l.UnaryCall(ctx, &testpb.SimpleRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(c), Message: "said \u00fc"}}, grpc.Header(&h), grpc.Trailer(&t))
			s.end(err)
			s.md("header", h)
			s.md("trailer", t)
		}
	},
	"unimplemented": func(ctx context.Context, l link, s *script) {
		_, err := l.UnimplementedCall(ctx, &testpb.Empty{})
		s.end(err)
		st, err := l.cc.NewStream(ctx, duplex, "/no.Such/Method")
		s.end(err)
		s.end(st.RecvMsg(&testpb.Empty{}))
	},
	"compression": func(ctx context.Context, l link, s *script) {
		var h metadata.MD
		r, err := l.UnaryCall(ctx, &testpb.SimpleRequest{Payload: body(100_000), ResponseSize: 1000}, grpc.UseCompressor(gzip.Name), grpc.Header(&h))
		s.say("%s %d", r.GetUsername(), len(r.GetPayload().GetBody()))
		s.md("header", h)
		s.end(err)
		_, err = l.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.UseCompressor("unheard-of"))
		s.end(err)
		st, err := l.FullDuplexCall(ctx, grpc.UseCompressor(gzip.Name))
		s.end(err)
		s.end(st.Send(&testpb.StreamingOutputCallRequest{Payload: body(50_000)}))
		m, err := st.Recv()
		s.say("%d", len(m.GetPayload().GetBody()))
		s.end(err)
	},
	"large messages": func(ctx context.Context, l link, s *script) {
		r, err := l.UnaryCall(ctx, &testpb.SimpleRequest{Payload: body(3 << 20), ResponseSize: 3 << 20})
		s.say("%s %d", r.GetUsername(), len(r.GetPayload().GetBody()))
		s.end(err)
		_, err = l.UnaryCall(ctx, &testpb.SimpleRequest{ResponseSize: 5 << 20})
		s.end(err)
		r, err = l.UnaryCall(ctx, &testpb.SimpleRequest{ResponseSize: 5 << 20}, grpc.MaxCallRecvMsgSize(8<<20))
		s.say("%d", len(r.GetPayload().GetBody()))
		s.end(err)
		_, err = l.UnaryCall(ctx, &testpb.SimpleRequest{Payload: body(1000)}, grpc.MaxCallSendMsgSize(100))
		s.end(err)
		_, err = l.UnaryCall(ctx, &testpb.SimpleRequest{Payload: body(5 << 20)})
		s.say("%v", status.Code(err))
		st, err := l.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{ResponseParameters: []*testpb.ResponseParameters{{Size: 5 << 20}}})
		s.end(err)
		_, err = st.Recv()
		s.end(err)
	},
	"bad metadata": func(ctx context.Context, l link, s *script) {
		_, err := l.UnaryCall(metadata.NewOutgoingContext(ctx, metadata.MD{"UPPER": {"x"}}), &testpb.SimpleRequest{})
		s.end(err)
		_, err = l.FullDuplexCall(metadata.NewOutgoingContext(ctx, metadata.MD{"k": {"\x00"}}))
		s.end(err)
	},
	"a message of another kind": func(ctx context.Context, l link, s *script) {
		s.end(l.cc.Invoke(ctx, put, "no message", new(testpb.SimpleResponse)))
	},
	"canceled before": func(ctx context.Context, l link, s *script) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := l.UnaryCall(ctx, &testpb.SimpleRequest{})
		s.say("%v", status.Code(err))
		_, err = l.FullDuplexCall(ctx)
		s.say("%v", status.Code(err))
	},
	"canceled during": func(ctx context.Context, l link, s *script) {
		ctx, cancel := context.WithCancel(ctx)
		go func() { <-l.began; cancel() }() // not before: grpc words it in another way while the call waits for a connection
		_, err := l.EmptyCall(ctx, &testpb.Empty{})
		s.end(err)
	},
	"deadline": func(ctx context.Context, l link, s *script) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := l.EmptyCall(ctx, &testpb.Empty{})
		s.say("%v", status.Code(err))
		ctx, cancel = context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var h metadata.MD
		_, err = l.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.Header(&h))
		s.md("header", h)
		s.end(err)
	},
	"stream canceled": func(ctx context.Context, l link, s *script) {
		ctx, cancel := context.WithCancel(ctx)
		st, err := l.FullDuplexCall(ctx)
		s.end(err)
		_, err = st.Header()
		s.end(err)
		cancel()
		_, err = st.Recv()
		s.end(err)
		_, err = st.Recv()
		s.say("%v", err != nil)
	},
	"stream deadline": func(ctx context.Context, l link, s *script) {
		late := overdue{ctx, make(chan struct{})}
		st, err := l.FullDuplexCall(late)
		s.end(err)
		close(late.over)
		_, err = st.Recv()
		s.say("%v", status.Code(err))
	},
	"server stream": func(ctx context.Context, l link, s *script) {
		for _, sizes := range [][]int32{{}, {1, 2, 3}, {1 << 20, 0, 5}} {
			in := &testpb.StreamingOutputCallRequest{}
			for _, n := range sizes {
				in.ResponseParameters = append(in.ResponseParameters, &testpb.ResponseParameters{Size: n})
			}
			for _, st := range []*testpb.EchoStatus{nil, {Code: int32(codes.Aborted), Message: "half way"}} {
				in.ResponseStatus = st
				var h, t metadata.MD
				var p peer.Peer
				c, err := l.StreamingOutputCall(ctx, in, grpc.Header(&h), grpc.Trailer(&t), grpc.Peer(&p))
				s.end(err)
				for err == nil {
					var m *testpb.StreamingOutputCallResponse
					if m, err = c.Recv(); err == nil {
						s.say("got %d", len(m.Payload.GetBody()))
					}
				}
				s.end(err)
				hd, err := c.Header()
				s.end(err)
				s.md("header()", hd)
				s.md("trailer()", c.Trailer())
				s.md("header", h)
				s.md("trailer", t)
				s.say("peer %v", p.Addr != nil)
			}
		}
	},
	"client stream": func(ctx context.Context, l link, s *script) {
		for _, parts := range [][]string{{}, {"a"}, {"ab", "cde"}, {"stop"}} {
			c, err := l.StreamingInputCall(ctx)
			s.end(err)
			for _, p := range parts {
				s.end(c.Send(&testpb.StreamingInputCallRequest{Payload: &testpb.Payload{Body: []byte(p)}}))
			}
			r, err := c.CloseAndRecv()
			s.say("sum %d", r.GetAggregatedPayloadSize())
			s.end(err)
		}
		c, err := l.StreamingInputCall(ctx)
		s.end(err)
		_ = c.Send(&testpb.StreamingInputCallRequest{Payload: &testpb.Payload{Body: []byte("stop")}})
		for err == nil {
			err = c.Send(&testpb.StreamingInputCallRequest{Payload: body(1000)})
		}
		s.end(err)
		_, err = c.CloseAndRecv()
		s.end(err)
	},
	"full duplex, in turns": func(ctx context.Context, l link, s *script) {
		c, err := l.FullDuplexCall(ctx)
		s.end(err)
		h, err := c.Header()
		s.end(err)
		s.md("header", h)
		for i := range 20 {
			s.end(c.Send(&testpb.StreamingOutputCallRequest{Payload: body(i)}))
			m, err := c.Recv()
			s.say("%d", len(m.GetPayload().GetBody()))
			s.end(err)
		}
		s.end(c.CloseSend())
		s.end(c.CloseSend())
		_, err = c.Recv()
		s.end(err)
		s.md("trailer", c.Trailer())
		s.end(c.Send(&testpb.StreamingOutputCallRequest{}))
	},
	"full duplex, at once": func(ctx context.Context, l link, s *script) {
		c, err := l.FullDuplexCall(ctx)
		s.end(err)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 500 {
				if err := c.Send(&testpb.StreamingOutputCallRequest{Payload: body(2000)}); err != nil {
					return
				}
			}
			_ = c.CloseSend()
		})
		n := 0
		for err == nil {
			if _, err = c.Recv(); err == nil {
				n++
			}
		}
		wg.Wait()
		s.say("%d", n)
		s.end(err)
	},
	"full duplex, an error in the middle": func(ctx context.Context, l link, s *script) {
		c, err := l.FullDuplexCall(ctx)
		s.end(err)
		s.end(c.Send(&testpb.StreamingOutputCallRequest{ResponseStatus: &testpb.EchoStatus{Code: int32(codes.DataLoss), Message: "m"}}))
		_, err = c.Recv()
		s.end(err)
	},
	"half duplex": func(ctx context.Context, l link, s *script) {
		c, err := l.HalfDuplexCall(ctx)
		s.end(err)
		for i := range 10 {
			s.end(c.Send(&testpb.StreamingOutputCallRequest{Payload: body(i)}))
		}
		s.end(c.CloseSend())
		for err == nil {
			var m *testpb.StreamingOutputCallResponse
			if m, err = c.Recv(); err == nil {
				s.say("%d", len(m.Payload.GetBody()))
			}
		}
		s.end(err)
	},
	"wait for ready, static method, content subtype": func(ctx context.Context, l link, s *script) {
		_, err := l.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.WaitForReady(true), grpc.StaticMethod(), grpc.CallContentSubtype("proto"))
		s.end(err)
		_, err = l.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.CallContentSubtype("unheard-of"))
		s.end(err)
	},
	"call credentials": func(ctx context.Context, l link, s *script) {
		for _, c := range []creds{{}, {err: status.Error(codes.Unauthenticated, "who?")}, {err: errors.New("no token")}, {secure: true}} {
			var h metadata.MD
			_, err := l.UnaryCall(ctx, &testpb.SimpleRequest{}, grpc.PerRPCCredentials(c), grpc.Header(&h))
			s.md("header", h)
			s.end(err)
			st, err := l.FullDuplexCall(ctx, grpc.PerRPCCredentials(c))
			s.end(err)
			if err == nil {
				s.end(st.CloseSend())
				_, err = st.Recv()
				s.end(err)
			}
		}
	},
	"health": func(ctx context.Context, l link, s *script) {
		c := healthpb.NewHealthClient(l.cc)
		r, err := c.Check(ctx, &healthpb.HealthCheckRequest{Service: "x"})
		s.say("%v", r.GetStatus())
		s.end(err)
		_, err = c.Check(ctx, &healthpb.HealthCheckRequest{Service: "y"})
		s.end(err)
		ctx, cancel := context.WithCancel(ctx)
		st, err := c.Watch(ctx, &healthpb.HealthCheckRequest{Service: "x"})
		s.end(err)
		m, err := st.Recv()
		s.say("%v", m.GetStatus())
		s.end(err)
		cancel()
		_, err = st.Recv()
		s.end(err)
	},
	"reflection": func(ctx context.Context, l link, s *script) {
		st, err := reflectionpb.NewServerReflectionClient(l.cc).ServerReflectionInfo(ctx)
		s.end(err)
		s.end(st.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}))
		m, err := st.Recv()
		s.say("%d services", len(m.GetListServicesResponse().GetService()))
		s.end(err)
		s.end(st.CloseSend())
		_, err = st.Recv()
		s.end(err)
	},
}

// creds are call credentials.
type creds struct {
	err    error
	secure bool
	asked  *atomic.Int64
}

func (c creds) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if c.asked != nil {
		c.asked.Add(1)
	}
	return map[string]string{"token": "t"}, c.err
}
func (c creds) RequireTransportSecurity() bool { return c.secure }

// TestParity runs every scenario over a plain connection, through the mesh, and through the interceptors on a target of
// grpc's own, with and without a policy: what the caller sees is the same.
func TestParity(t *testing.T) {
	l := bufconn.Listen(1 << 20)
	gs := grpc.NewServer(grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) { return ctx, nil }))
	began := make(chan struct{})
	testpb.RegisterTestServiceServer(gs, full{began: began})
	hs := health.NewServer()
	hs.SetServingStatus("x", healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(gs, hs)
	reflection.Register(gs)
	done := make(chan struct{})
	go func() { defer close(done); _ = gs.Serve(l) }()
	t.Cleanup(func() { gs.Stop(); <-done })
	dial := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) })
	plain := connect(t, "passthrough:///shop", dial)
	ways := func() map[string]*grpc.ClientConn {
		ways := map[string]*grpc.ClientConn{}
		for name, p := range map[string]resilience.Policy{"no policy": {}, "standard": resilience.Standard(), "retries": {Retry: &resilience.Retry{Idempotent: false}}} {
			c, err := client.New(client.Config{
				Discovery:  discovery.Static{"shop": {{Addr: "in:1"}}},
				Resilience: resilience.Config{Default: p},
				Dial:       func(ctx context.Context, _ discovery.Endpoint) (net.Conn, error) { return l.DialContext(ctx) },
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			ways["mesh, "+name] = connect(t, "mesh:///shop", clientgrpc.DialOptions(c)...)
			ways["interceptors, "+name] = connect(t, "passthrough:///shop", append(clientgrpc.Interceptors(c), dial)...)
		}
		return ways
	}
	for name, f := range scenarios {
		var want script
		f(t.Context(), link{testpb.NewTestServiceClient(plain), plain, began}, &want)
		for way, cc := range ways() { // new ones: what fails in one scenario opens no breaker in the next
			t.Run(name+"/"+way, func(t *testing.T) {
				var got script
				f(t.Context(), link{testpb.NewTestServiceClient(cc), cc, began}, &got)
				if g, w := mend(got.String()), mend(want.String()); g != w {
					t.Errorf("got\n%s\nwant\n%s", g, w)
				}
			})
		}
	}
}

// mend takes out what may differ: whether the server sees a deadline where the policy sets one.
func mend(s string) string {
	return strings.NewReplacer(`saw-deadline=["true"]`, "", `saw-deadline=["false"]`, "").Replace(s)
}

func connect(t testing.TB, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient(target, append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// overdue is a context whose deadline passes when a test says so, and not before the test is ready for it.
type overdue struct {
	context.Context

	over chan struct{}
}

func (o overdue) Deadline() (time.Time, bool) { return time.Now().Add(time.Hour), true }
func (o overdue) Done() <-chan struct{}       { return o.over }

func (o overdue) Err() error {
	select {
	case <-o.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
