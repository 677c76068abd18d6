package clientgrpc_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

type echo struct {
	testpb.UnimplementedTestServiceServer
	name string
}

func (e *echo) UnaryCall(_ context.Context, r *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{ServerId: e.name, Payload: r.Payload}, nil
}

func (e *echo) FullDuplexCall(s testpb.TestService_FullDuplexCallServer) error {
	for {
		m, err := s.Recv()
		if err == io.EOF {
			return status.Error(codes.Aborted, "done")
		}
		if err != nil {
			return err
		}
		if err := s.Send(&testpb.StreamingOutputCallResponse{Payload: m.Payload}); err != nil {
			return err
		}
	}
}

func TestSmoke(t *testing.T) {
	var eps []discovery.Endpoint
	var servers []*grpc.Server
	for _, name := range []string{"a", "b"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := grpc.NewServer()
		testpb.RegisterTestServiceServer(s, &echo{name: name})
		go s.Serve(l)
		defer s.Stop()
		servers = append(servers, s)
		eps = append(eps, discovery.Endpoint{Addr: l.Addr().String()})
	}
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": eps},
		Resilience: resilience.Config{Default: resilience.Standard()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	conn, err := grpc.NewClient("mesh:///orders", append(clientgrpc.DialOptions(c), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tc := testpb.NewTestServiceClient(conn)
	seen := map[string]int{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for i := range 40 {
		if i == 20 {
			servers[0].Stop()
		}
		var info client.Info
		r, err := tc.UnaryCall(client.With(ctx, client.Options{Info: &info}), &testpb.SimpleRequest{})
		if err != nil {
			t.Fatalf("%d: %v %+v", i, err, info)
		}
		seen[r.ServerId]++
		if i == 0 || len(info.Attempts) > 1 {
			t.Logf("%d %+v", i, info)
		}
	}
	t.Log(seen)
	st, err := tc.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := st.Send(&testpb.StreamingOutputCallRequest{Payload: &testpb.Payload{Body: []byte("x")}}); err != nil {
			t.Fatal(err)
		}
		m, err := st.Recv()
		if err != nil {
			t.Fatal(err)
		}
		t.Log(m)
	}
	st.CloseSend()
	_, err = st.Recv()
	t.Log(err)
	servers[1].Stop()
	_, err = tc.UnaryCall(ctx, &testpb.SimpleRequest{})
	t.Log(err, status.Code(err))
}
