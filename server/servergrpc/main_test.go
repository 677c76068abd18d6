package servergrpc

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/test/bufconn"

	"github.com/intramesh/intramesh/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mustNew(t testing.TB, log io.Writer) *server.Server {
	t.Helper()
	s, err := server.New(server.Config{DrainDelay: -1, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// service is grpc's own test service, with the methods that a test needs.
type service struct {
	testpb.UnimplementedTestServiceServer
	unary  func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error)
	output func(*testpb.StreamingOutputCallRequest, testpb.TestService_StreamingOutputCallServer) error
	duplex func(testpb.TestService_FullDuplexCallServer) error
}

func (s service) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return s.unary(ctx, in)
}

func (s service) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
	return s.output(in, st)
}

func (s service) FullDuplexCall(st testpb.TestService_FullDuplexCallServer) error {
	return s.duplex(st)
}

// serve runs a server with these options in memory and returns a plain client of it.
func serve(t *testing.T, svc service, opts []grpc.ServerOption, prepare ...func(*grpc.Server)) testpb.TestServiceClient {
	t.Helper()
	gs := grpc.NewServer(opts...)
	testpb.RegisterTestServiceServer(gs, svc)
	for _, f := range prepare {
		f(gs)
	}
	l := bufconn.Listen(64 << 10)
	go func() { _ = gs.Serve(l) }()
	t.Cleanup(gs.Stop)
	return testpb.NewTestServiceClient(dial(t, func(ctx context.Context) (net.Conn, error) { return l.DialContext(ctx) }))
}

func dial(t *testing.T, f func(context.Context) (net.Conn, error)) *grpc.ClientConn {
	t.Helper()
	cc, err := grpc.NewClient("passthrough:///test", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return f(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

func text(s string) *testpb.Payload { return &testpb.Payload{Body: []byte(s)} }
