package servergrpc

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/server"
)

// logbook is a log that many goroutines write.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// shop is a trust domain with a server in it.
type shop struct {
	t    *testing.T
	root *pkitest.Signer
	id   *pkitest.Live // of the server
	log  logbook
	*server.Server

	gs   *grpc.Server
	net  *memnet.Network // nil: the loopback
	addr string
}

func openShop(t *testing.T, cfg server.Config) *shop {
	t.Helper()
	sh := &shop{t: t, root: pkitest.Root(t), id: new(pkitest.Live)}
	sh.id.Set(sh.root.Workload([]string{"spiffe://shop/orders"}).Material(sh.root))
	cfg.Identity = sh.id
	sh.open(cfg)
	return sh
}

func (sh *shop) open(cfg server.Config) {
	cfg.DrainDelay, cfg.Logger = -1, slog.New(slog.NewTextHandler(&sh.log, nil))
	s, err := server.New(cfg)
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() { _ = s.Close() })
	sh.Server = s
}

// inBubble runs a test where time is the bubble's, and the network in memory.
func inBubble(t *testing.T, cfg server.Config, f func(t *testing.T, sh *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sh := openShop(t, cfg)
		sh.net = new(memnet.Network)
		f(t, sh)
	})
}

// serve runs a server with these options, or with all.
func (sh *shop) serve(svc service, opts ...grpc.ServerOption) {
	sh.t.Helper()
	if opts == nil {
		opts = ServerOptions(sh.Server)
	}
	sh.gs = grpc.NewServer(opts...)
	testpb.RegisterTestServiceServer(sh.gs, svc)
	var l net.Listener
	var err error
	if sh.net != nil {
		l, err = sh.net.Listen("orders:443")
	} else {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.addr = l.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); _ = sh.gs.Serve(l) }()
	sh.t.Cleanup(func() { sh.gs.Stop(); <-done })
}

// member is the identity of a client.
func (sh *shop) member(id string, changes ...pkitest.Change) *security.Material {
	return sh.root.Workload([]string{id}, changes...).Material(sh.root)
}

func until(d time.Duration) pkitest.Change {
	return func(c *x509.Certificate) { c.NotAfter = time.Now().Add(d) }
}

// as is the TLS config of a client with that identity.
func (sh *shop) as(id security.Identity) *tls.Config {
	sh.t.Helper()
	x, err := security.Expect("spiffe://shop/orders")
	if err != nil {
		sh.t.Fatal(err)
	}
	return security.ClientTLS(id, x, nil)
}

func (sh *shop) client(cfg *tls.Config) testpb.TestServiceClient {
	sh.t.Helper()
	opts := []grpc.DialOption{grpc.WithTransportCredentials(credentials.NewTLS(cfg))}
	if sh.net != nil {
		opts = append(opts, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return sh.net.DialContext(ctx, "tcp", addr)
		}))
	}
	cc, err := grpc.NewClient("passthrough:///"+sh.addr, opts...)
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.t.Cleanup(func() { _ = cc.Close() })
	return testpb.NewTestServiceClient(cc)
}

// stream begins a stream and waits until its handler has said a word.
func (sh *shop) stream(c testpb.TestServiceClient) testpb.TestService_FullDuplexCallClient {
	sh.t.Helper()
	st, err := c.FullDuplexCall(sh.t.Context())
	if err != nil {
		sh.t.Fatal(err)
	}
	if _, err := st.Recv(); err != nil {
		sh.t.Fatal(err)
	}
	return st
}
