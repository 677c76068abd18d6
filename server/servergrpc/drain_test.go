package servergrpc

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/server"
)

// named answers with its name, and streams it.
func named(name string) service {
	return service{
		unary: func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			return &testpb.SimpleResponse{Payload: text(name)}, nil
		},
		output: func(_ *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
			for range 10 {
				if err := st.Send(&testpb.StreamingOutputCallResponse{Payload: text(name)}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// listen runs svc on loopback, attached to s.
func listen(t *testing.T, s *server.Server, svc service) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gs := grpc.NewServer(ServerOptions(s)...)
	Attach(s, gs)
	testpb.RegisterTestServiceServer(gs, svc)
	healthpb.RegisterHealthServer(gs, Health(s))
	go func() { _ = gs.Serve(l) }()
	return l.Addr().String()
}

// Plain clients call without pause while the server that they are connected to drains. New connections go to another
// one, as a balancer of connections sees to.
func TestDrainUnderLoadLosesNothing(t *testing.T) {
	const clients = 8
	calls := map[string]func(context.Context, testpb.TestServiceClient) answer{
		"unary":  func(ctx context.Context, c testpb.TestServiceClient) answer { return callUnary(ctx, c) },
		"stream": func(ctx context.Context, c testpb.TestServiceClient) answer { return callOutput(ctx, c) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			want := map[string]int{"unary": 1, "stream": 10}[name]
			a := mustNew(t, io.Discard)
			addrA, addrB := listen(t, a, named("a")), listen(t, mustNew(t, io.Discard), named("b"))
			var connected, moved, wg sync.WaitGroup
			stop := newSignal()
			for range clients {
				connected.Add(1)
				moved.Add(1)
				cc := dial(t, func(ctx context.Context) (net.Conn, error) {
					addr := addrA
					if !a.Ready() {
						addr = addrB
					}
					return new(net.Dialer).DialContext(ctx, "tcp", addr)
				})
				wg.Go(func() {
					first, last := sync.OnceFunc(connected.Done), sync.OnceFunc(moved.Done)
					defer last()
					defer first()
					for !stop.given() {
						got := call(t.Context(), testpb.NewTestServiceClient(cc))
						if got.Status.Code() != codes.OK || len(got.Messages) != want {
							t.Errorf("lost: %v after %d messages", got.Status, len(got.Messages))
							return
						}
						first()
						if got.Messages[0] == "b" {
							last()
						}
					}
				})
			}
			connected.Wait()
			if err := a.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			moved.Wait()
			stop.give()
			wg.Wait()
		})
	}
}

type signal chan struct{}

func newSignal() signal { return make(signal) }
func (s signal) give()  { close(s) }
func (s signal) given() bool {
	select {
	case <-s:
		return true
	default:
		return false
	}
}

// A stream that runs when the drain begins is finished; HTTP beside it is drained too.
func TestDrainWaitsForStreamsBesideHTTP(t *testing.T) {
	s := mustNew(t, io.Discard)
	addr := listen(t, s, service{output: func(_ *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
		_ = st.Send(&testpb.StreamingOutputCallResponse{Payload: text("first")})
		<-s.Stopping()
		return st.Send(&testpb.StreamingOutputCallResponse{Payload: text("last")})
	}})
	srv := &http.Server{Handler: http.NotFoundHandler()}
	s.Attach(srv)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()

	c := testpb.NewTestServiceClient(dial(t, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}))
	st, err := c.StreamingOutputCall(t.Context(), &testpb.StreamingOutputCallRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Recv(); err != nil {
		t.Fatal(err)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if out, err := st.Recv(); err != nil || string(out.Payload.Body) != "last" {
		t.Errorf("%v, %v", out, err)
	}
	if _, err := st.Recv(); err != io.EOF {
		t.Error(err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Error(err)
	}
}

func TestDrainCutsOffStreams(t *testing.T) {
	for name, end := range map[string]func(*server.Server, context.CancelFunc){
		"by its context": func(_ *server.Server, cancel context.CancelFunc) { cancel() },
		"by Close":       func(s *server.Server, _ context.CancelFunc) { _ = s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := mustNew(t, io.Discard)
			over := make(chan error, 1)
			addr := listen(t, s, service{duplex: func(st testpb.TestService_FullDuplexCallServer) error {
				_ = st.Send(&testpb.StreamingOutputCallResponse{Payload: text("begun")})
				<-st.Context().Done()
				over <- st.Context().Err()
				return st.Context().Err()
			}})
			c := testpb.NewTestServiceClient(dial(t, func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", addr)
			}))
			st, err := c.FullDuplexCall(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Recv(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			drained := make(chan error, 1)
			go func() { drained <- s.Drain(ctx) }()
			<-s.Stopping()
			end(s, cancel)
			if err := <-drained; err == nil {
				t.Error("Drain says that all was finished")
			}
			if _, err := st.Recv(); status.Code(err) != codes.Unavailable {
				t.Error(err)
			}
			if err := <-over; err != context.Canceled {
				t.Error(err)
			}
		})
	}
}

func TestHealthFollowsTheDrain(t *testing.T) {
	s := mustNew(t, io.Discard)
	h := Health(s)
	check := func(h *health.Server) healthpb.HealthCheckResponse_ServingStatus {
		res, err := h.Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return res.Status
	}
	if got := check(h); got != healthpb.HealthCheckResponse_SERVING {
		t.Error(got)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if got := check(h); got != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Error(got)
	}
	if got := check(Health(s)); got != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("made after the drain: %v", got)
	}
}

func TestHealthAndReflectionThroughTheOptions(t *testing.T) {
	s := mustNew(t, io.Discard)
	gs := grpc.NewServer(ServerOptions(s)...)
	healthpb.RegisterHealthServer(gs, Health(s))
	reflection.Register(gs)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = gs.Serve(l) }()
	defer gs.Stop()
	cc, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	if res, err := healthpb.NewHealthClient(cc).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil || res.Status != 1 {
		t.Errorf("%v, %v", res, err)
	}
	st, err := reflectpb.NewServerReflectionClient(cc).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = st.Send(&reflectpb.ServerReflectionRequest{MessageRequest: &reflectpb.ServerReflectionRequest_ListServices{}})
	_ = st.CloseSend()
	res, err := st.Recv()
	if err != nil || len(res.GetListServicesResponse().GetService()) < 2 {
		t.Errorf("%v, %v", res, err)
	}
	if _, err := st.Recv(); err != io.EOF {
		t.Error(err)
	}
}

func TestTransportOptions(t *testing.T) {
	s := mustNew(t, io.Discard)
	for _, tc := range []struct {
		t    Transport
		want int
	}{
		{Transport{}, 2}, {Transport{Workers: -1}, 1}, {Transport{PingTime: -1}, 1}, {Transport{Workers: -1, PingTime: -1}, 0},
	} {
		if got := len(tc.t.Options()); got != tc.want {
			t.Errorf("%+v: %d options, want %d", tc.t, got, tc.want)
		}
	}
	if a, b := len(ServerOptions(s)), len(Interceptors(s)); fmt.Sprint(a, b) != "4 2" {
		t.Errorf("%d and %d options", a, b)
	}
}

func TestAttachAfterTheDrain(t *testing.T) {
	s := mustNew(t, io.Discard)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	gs := grpc.NewServer(ServerOptions(s)...)
	Attach(s, gs)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := gs.Serve(l); err != grpc.ErrServerStopped {
		t.Error(err)
	}
}
