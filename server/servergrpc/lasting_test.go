package servergrpc

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/server"
)

// waits says a word and waits for messages until there is an error, which it hands out.
func waits(ended chan<- error) service {
	return service{duplex: func(st testpb.TestService_FullDuplexCallServer) error {
		if err := st.Send(&testpb.StreamingOutputCallResponse{Payload: text("word")}); err != nil {
			return err
		}
		for {
			if _, err := st.Recv(); err != nil {
				ended <- err
				return err
			}
		}
	}}
}

// ends checks how a stream ends.
func ends(t *testing.T, st testpb.TestService_FullDuplexCallClient, want codes.Code) {
	t.Helper()
	if _, err := st.Recv(); status.Code(err) != want {
		t.Errorf("got %v, want %v", err, want)
	}
}

// A stream that new rules deny ends with PERMISSION_DENIED, and its handler is released; its neighbour goes on.
func TestNewRulesEndStreams(t *testing.T) {
	sh := openShop(t, server.Config{Authorize: security.AllowTrustDomain("shop")})
	ended := make(chan error, 2)
	sh.serve(waits(ended))
	web, other := sh.client(sh.as(sh.member("spiffe://shop/web"))), sh.client(sh.as(sh.member("spiffe://shop/other")))
	stays, goes := sh.stream(web), sh.stream(other)
	if err := sh.SetAuthorize(security.AllowID("spiffe://shop/web")); err != nil {
		t.Fatal(err)
	}
	ends(t, goes, codes.PermissionDenied)
	if err := <-ended; status.Code(err) != codes.Canceled {
		t.Errorf("the handler got %v", err)
	}
	if err := stays.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != io.EOF { //nolint:errorlint // exactly this
		t.Errorf("the neighbour got %v", err)
	}
	if !strings.Contains(sh.log.String(), "peer=spiffe://shop/other") {
		t.Errorf("log:\n%s", sh.log.String())
	}
}

// What a handler returns, trailers, details and panics included, arrives as it did when the handler ran in the interceptor.
func TestLastingStreamsEndAsEver(t *testing.T) {
	sh := openShop(t, server.Config{})
	sh.serve(service{duplex: func(st testpb.TestService_FullDuplexCallServer) error {
		in, err := st.Recv()
		if err != nil {
			return err
		}
		st.SetTrailer(metadata.Pairs("t", "1"))
		if string(in.Payload.Body) == "panic" {
			panic("boom")
		}
		return status.Error(codes.DataLoss, string(in.Payload.Body))
	}})
	c := sh.client(sh.as(sh.member("spiffe://shop/web")))
	for word, want := range map[string]*status.Status{"lost": status.New(codes.DataLoss, "lost"), "panic": status.Convert(errPanicked)} {
		st, err := c.FullDuplexCall(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Send(&testpb.StreamingOutputCallRequest{Payload: text(word)}); err != nil {
			t.Fatal(err)
		}
		_, err = st.Recv()
		if got := status.Convert(err); got.Code() != want.Code() || got.Message() != want.Message() || st.Trailer().Get("t")[0] != "1" {
			t.Errorf("%s: %v, trailer %v", word, err, st.Trailer())
		}
	}
	if log := sh.log.String(); strings.Count(log, "handler panicked") != 1 || !strings.Contains(log, "lasting_test.go") {
		t.Errorf("log:\n%s", log)
	}
}

// A handler that does not care that its stream has ended is waited for, and its panic is logged.
func TestDrainWaitsForRevokedHandlers(t *testing.T) {
	inBubble(t, server.Config{DrainTimeout: time.Hour}, func(t *testing.T, sh *shop) {
		release := make(chan struct{})
		sh.serve(service{duplex: func(st testpb.TestService_FullDuplexCallServer) error {
			_ = st.Send(&testpb.StreamingOutputCallResponse{})
			<-release
			panic("too late")
		}})
		Attach(sh.Server, sh.gs)
		st := sh.stream(sh.client(sh.as(sh.member("spiffe://shop/web"))))
		if err := sh.SetAuthorize(security.AllowID()); err != nil {
			t.Fatal(err)
		}
		ends(t, st, codes.PermissionDenied)
		drained := make(chan error, 1)
		go func() { drained <- sh.Drain(context.Background()) }()
		synctest.Wait()
		select {
		case err := <-drained:
			t.Fatalf("the drain did not wait: %v", err)
		default:
		}
		close(release)
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if !strings.Contains(sh.log.String(), "too late") {
			t.Errorf("log:\n%s", sh.log.String())
		}
	})
}

// When the trust in a client is gone its streams are told why, and its connection is closed.
func TestLostTrustEndsStreamsAndConnections(t *testing.T) {
	inBubble(t, server.Config{}, func(t *testing.T, sh *shop) {
		ended := make(chan error, 1)
		sh.serve(waits(ended))
		st := sh.stream(sh.client(sh.as(sh.member("spiffe://shop/web"))))
		next := pkitest.Root(t)
		sh.id.Set(next.Workload([]string{"spiffe://shop/orders"}).Material(next))
		ends(t, st, codes.Unauthenticated)
		<-ended
		time.Sleep(linger)
		synctest.Wait()
		if n := sh.net.Conns(sh.addr); n != 0 {
			t.Errorf("%d connections", n)
		}
	})
}

// rudely is a connection of a client that speaks HTTP/2, and does not leave when it is asked to.
func (sh *shop) rudely() net.Conn {
	sh.t.Helper()
	raw, err := sh.net.DialContext(sh.t.Context(), "tcp", sh.addr)
	if err != nil {
		sh.t.Fatal(err)
	}
	cfg := sh.as(sh.member("spiffe://shop/web"))
	cfg.NextProtos = []string{"h2"}
	c := tls.Client(raw, cfg)
	sh.t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		sh.t.Fatal(err)
	}
	if err := http2.NewFramer(c, nil).WriteSettings(); err != nil {
		sh.t.Fatal(err)
	}
	return c
}

// A client that does not leave is left.
func TestLostTrustClosesConnectionsInAnyCase(t *testing.T) {
	inBubble(t, server.Config{}, func(t *testing.T, sh *shop) {
		sh.serve(service{})
		c := sh.rudely()
		time.Sleep(time.Second)
		next := pkitest.Root(t)
		began := time.Now()
		sh.id.Set(next.Workload([]string{"spiffe://shop/orders"}).Material(next))
		_, _ = io.Copy(io.Discard, c)
		if took := time.Since(began); took != linger {
			t.Errorf("closed after %v", took)
		}
	})
}

func TestExpiryEndsStreams(t *testing.T) {
	inBubble(t, server.Config{}, func(t *testing.T, sh *shop) {
		ended := make(chan error, 1)
		sh.serve(waits(ended))
		began := time.Now()
		st := sh.stream(sh.client(sh.as(sh.member("spiffe://shop/web", until(time.Minute)))))
		ends(t, st, codes.Unauthenticated)
		<-ended
		if took := time.Since(began).Round(time.Millisecond); took != time.Minute {
			t.Errorf("it lasted %v", took)
		}
	})
}

// A client that renews its certificate is asked for a new connection in time: no call meets the end of the old one, and a
// stream goes on as long as it may.
func TestConnectionsAreRetired(t *testing.T) {
	inBubble(t, server.Config{}, func(t *testing.T, sh *shop) {
		ended := make(chan error, 1)
		svc := waits(ended)
		svc.unary = func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			time.Sleep(7 * time.Second) // a call that would be cut off at 60 s
			return &testpb.SimpleResponse{}, nil
		}
		sh.serve(svc)
		id := new(pkitest.Live)
		renew := func() { id.Set(sh.member("spiffe://shop/web", until(60*time.Second))) }
		renew()
		c := sh.client(sh.as(id))
		began := time.Now()
		st := sh.stream(c)
		over := make(chan time.Duration)
		go func() { _, _ = st.Recv(); over <- time.Since(began).Round(time.Second) }()
		for i := range 60 { // seven minutes
			if i%5 == 4 {
				renew()
			}
			if _, err := c.UnaryCall(t.Context(), &testpb.SimpleRequest{}); err != nil {
				t.Fatalf("call %d: %v", i, err)
			}
			select {
			case took := <-over:
				over = nil
				if took != time.Minute {
					t.Errorf("the stream lasted %v", took)
				}
			default:
			}
		}
		if over != nil {
			t.Error("the stream has outlived the certificate")
		}
	})
}

// An idle connection is asked to leave too, so that the next call does not meet its end.
func TestIdleConnectionsAreRetired(t *testing.T) {
	inBubble(t, server.Config{}, func(t *testing.T, sh *shop) {
		sh.serve(service{unary: func(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
			return &testpb.SimpleResponse{}, nil
		}})
		c := sh.client(sh.as(sh.member("spiffe://shop/web", until(time.Minute))))
		if _, err := c.UnaryCall(t.Context(), &testpb.SimpleRequest{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(44 * time.Second)
		if n := sh.net.Conns(sh.addr); n != 1 {
			t.Errorf("%d connections at 44 s", n)
		}
		time.Sleep(2 * time.Second)
		if n := sh.net.Conns(sh.addr); n != 0 {
			t.Errorf("%d connections at 46 s", n)
		}
	})
}

// A client that completes TLS and then speaks no HTTP/2 leaves nothing behind.
func TestBadPrefaceIsForgotten(t *testing.T) {
	inBubble(t, server.Config{}, func(t *testing.T, sh *shop) {
		sh.serve(service{})
		raw, err := sh.net.DialContext(t.Context(), "tcp", sh.addr)
		if err != nil {
			t.Fatal(err)
		}
		cfg := sh.as(sh.member("spiffe://shop/web"))
		cfg.NextProtos = []string{"h2"}
		c := tls.Client(raw, cfg)
		defer c.Close()
		if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: orders\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, c)
		synctest.Wait()
		if sh.Core().Warden.Busy() {
			t.Error("the connection is still watched")
		}
	})
}
