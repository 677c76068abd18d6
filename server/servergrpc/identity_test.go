package servergrpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/server"
)

// Every attacker is refused: the reason stands in the server's log, the client has an error, no handler runs.
func TestAttacks(t *testing.T) {
	for _, a := range pkitest.Attacks {
		t.Run(a.Name, func(t *testing.T) {
			sh := openShop(t, server.Config{})
			sh.serve(service{unary: func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
				t.Error("the handler ran")
				return nil, nil
			}})
			_, err := sh.client(a.Config(t, sh.root)).UnaryCall(t.Context(), &testpb.SimpleRequest{})
			if status.Code(err) != codes.Unavailable {
				t.Errorf("the client got %v", err)
			}
			// A client that is refused connects again, so there may be more than one handshake; the lines are limited.
			if want := "reason=" + string(a.Reason) + " "; !strings.Contains(sh.log.String(), want) {
				t.Errorf("no %q in the log:\n%s", want, sh.log.String())
			}
		})
	}
}

// whoAsks answers with the peer.
func whoAsks(ctx context.Context) string {
	p, ok := server.PeerFrom(ctx)
	if !ok {
		return "nobody"
	}
	return p.ID.String()
}

func TestAuthorizeAndPeer(t *testing.T) {
	sh := openShop(t, server.Config{
		Authorize: security.AllowID("spiffe://shop/web"),
		Public:    []string{"/grpc.testing.TestService/StreamingOutputCall"},
	})
	sh.serve(service{
		unary: func(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			p, _ := peer.FromContext(ctx)
			if info, ok := p.AuthInfo.(credentials.TLSInfo); !ok || info.SPIFFEID == nil {
				t.Errorf("AuthInfo is %T", p.AuthInfo)
			}
			return &testpb.SimpleResponse{Payload: text(whoAsks(ctx))}, nil
		},
		output: func(_ *testpb.StreamingOutputCallRequest, st testpb.TestService_StreamingOutputCallServer) error {
			return st.Send(&testpb.StreamingOutputCallResponse{Payload: text(whoAsks(st.Context()))})
		},
		duplex: func(st testpb.TestService_FullDuplexCallServer) error {
			return st.Send(&testpb.StreamingOutputCallResponse{Payload: text(whoAsks(st.Context()))})
		},
	})
	methods := map[string]func(c testpb.TestServiceClient) (*testpb.Payload, error){
		"unary": func(c testpb.TestServiceClient) (*testpb.Payload, error) {
			res, err := c.UnaryCall(t.Context(), &testpb.SimpleRequest{})
			return res.GetPayload(), err
		},
		"stream": func(c testpb.TestServiceClient) (*testpb.Payload, error) {
			st, err := c.FullDuplexCall(t.Context())
			if err != nil {
				return nil, err
			}
			res, err := st.Recv()
			return res.GetPayload(), err
		},
		"public": func(c testpb.TestServiceClient) (*testpb.Payload, error) {
			st, err := c.StreamingOutputCall(t.Context(), &testpb.StreamingOutputCallRequest{})
			if err != nil {
				return nil, err
			}
			res, err := st.Recv()
			return res.GetPayload(), err
		},
	}
	const may, prove = "the caller may not do this", "the caller has not proved who it is"
	web := sh.client(sh.as(sh.member("spiffe://shop/web")))
	other := sh.client(sh.as(sh.member("spiffe://shop/other")))
	nobody := sh.client(pkitest.Attacks[0].Config(t, sh.root))
	for _, tc := range []struct {
		name, method string
		c            testpb.TestServiceClient
		code         codes.Code
		want         string // the answer, or the message of the status
	}{
		{"web", "unary", web, codes.OK, "spiffe://shop/web"},
		{"web", "stream", web, codes.OK, "spiffe://shop/web"},
		{"web", "public", web, codes.OK, "spiffe://shop/web"},
		{"other", "unary", other, codes.PermissionDenied, may},
		{"other", "stream", other, codes.PermissionDenied, may},
		{"other", "public", other, codes.OK, "spiffe://shop/other"},
		{"nobody", "unary", nobody, codes.Unauthenticated, prove},
		{"nobody", "stream", nobody, codes.Unauthenticated, prove},
		{"nobody", "public", nobody, codes.OK, "nobody"},
	} {
		t.Run(tc.name+" "+tc.method, func(t *testing.T) {
			payload, err := methods[tc.method](tc.c)
			got := string(payload.GetBody())
			if err != nil {
				got = status.Convert(err).Message()
			}
			if status.Code(err) != tc.code || got != tc.want {
				t.Errorf("%v %q, want %v %q", status.Code(err), got, tc.code, tc.want)
			}
		})
	}
	for _, want := range []string{"reason=denied", `rule="allow id spiffe://shop/web"`, "peer=spiffe://shop/other", "path=/grpc.testing.TestService/"} {
		if !strings.Contains(sh.log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, sh.log.String())
		}
	}
}

// Interceptors alone judge the connections of credentials that the user has made.
func TestInterceptorsAlone(t *testing.T) {
	sh := openShop(t, server.Config{})
	svc := service{unary: func(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
		return &testpb.SimpleResponse{Payload: text(whoAsks(ctx))}, nil
	}}
	if _, err := serve(t, svc, Interceptors(sh.Server)).UnaryCall(t.Context(), &testpb.SimpleRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("over plain text: %v", err)
	}
	opts := append(Interceptors(sh.Server), grpc.Creds(credentials.NewTLS(sh.TLSConfig())))
	sh.serve(svc, opts...)
	res, err := sh.client(sh.as(sh.member("spiffe://shop/web"))).UnaryCall(t.Context(), &testpb.SimpleRequest{})
	if got := string(res.GetPayload().GetBody()); got != "spiffe://shop/web" {
		t.Errorf("%q %v", got, err)
	}
}

// The Host is there for those who look at it.
func TestAuthorizerSeesTheHost(t *testing.T) {
	hosts := make(chan security.Request, 1)
	var ask security.AuthorizerFunc = func(r *security.Request) error { hosts <- *r; return nil }
	sh := openShop(t, server.Config{Authorize: ask})
	sh.serve(service{unary: func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
		return &testpb.SimpleResponse{}, nil
	}})
	if _, err := sh.client(sh.as(sh.member("spiffe://shop/web"))).UnaryCall(t.Context(), &testpb.SimpleRequest{}); err != nil {
		t.Fatal(err)
	}
	if r := <-hosts; r.Host != sh.addr || r.Method != "POST" || r.Path != "/grpc.testing.TestService/UnaryCall" || r.Protocol != security.GRPC {
		t.Errorf("%+v", r)
	}
}

// A call that is allowed costs no more than the context that has its peer; a stream also its goroutine.
func TestAllocationsWithIdentity(t *testing.T) {
	sh := openShop(t, server.Config{Authorize: security.AllowID("spiffe://shop/web"), Public: []string{"/grpc.health.v1.Health/*"}})
	i := &interceptor{core: sh.Core()}
	leaf := sh.member("spiffe://shop/web").Certificate().Leaf
	ctx := peer.NewContext(t.Context(), &peer.Peer{AuthInfo: credentials.TLSInfo{State: tls.ConnectionState{
		Version: tls.VersionTLS13, HandshakeComplete: true, PeerCertificates: []*x509.Certificate{leaf},
	}}})
	ctx = metadata.NewIncomingContext(ctx, metadata.Pairs("user-agent", "x", ":authority", "y"))
	info, req := &grpc.UnaryServerInfo{FullMethod: "/a/b"}, any(&testpb.SimpleRequest{})
	handler := func(ctx context.Context, _ any) (any, error) {
		if _, ok := server.PeerFrom(ctx); !ok {
			t.Error("no peer")
		}
		return req, nil
	}
	if n := testing.AllocsPerRun(1000, func() { _, _ = i.unary(ctx, req, info, handler) }); n > 1 {
		t.Errorf("%v allocations a unary call", n)
	}
	ss := grpc.ServerStream(&bareStream{ctx: ctx})
	streamInfo := &grpc.StreamServerInfo{FullMethod: "/a/b"}
	streamHandler := func(any, grpc.ServerStream) error { return nil }
	if n := testing.AllocsPerRun(1000, func() { _ = i.stream(nil, ss, streamInfo, streamHandler) }); n > 7 {
		t.Errorf("%v allocations a stream", n)
	}
}
