package matrix

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/internal/pkitest"
)

// peerAddr is where the peer of a cell listens.
const peerAddr = "10.0.0.1:80"

// world is what one cell runs in: a network, loggers, and a record of what happened.
type world struct {
	t      *testing.T
	column column
	net    *memnet.Network
	logs   *recorder // the process's
	own    *recorder // a Config's
	conns  atomic.Int32
	dialed atomic.Int32 // by the caller's own transport or connection
	called atomic.Int32 // functions of a Config
	first  *peer        // the first that was started
	secure bool         // both sides speak mutual TLS
	root   *pkitest.Signer

	mu       sync.Mutex
	attempts []attempt
}

// inWorld runs f in a bubble of its own, where time is free and nothing may be left behind.
func inWorld(t *testing.T, c column, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, column: c, net: new(memnet.Network), logs: new(recorder), own: new(recorder)}
		processLog.Store(w.logs)
		t.Cleanup(func() { time.Sleep(goodbye) }) // the last: silent handlers have ended then
		f(w)
	})
}

// logger is one for a Config.
func (w *world) logger() *slog.Logger { return slog.New(w.own) }

// must ends the test where a thing that cannot fail has.
func must[T any](v T, err error) func(*world) T {
	return func(w *world) T {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
		return v
	}
}

// peer starts a server at addr and says what it sees. wrap may be nil: then it is a plain one.
func (w *world) peer(addr string, m mode, wrap wrapping) *peer {
	p := &peer{net: w.net, addr: addr, mode: m}
	if w.first == nil {
		w.first = p
	}
	l := counting{must(w.net.Listen(addr))(w), &w.conns}
	if w.column.isGRPC() {
		opts := wrap.options()
		if w.secure {
			opts = append([]grpc.ServerOption{grpc.Creds(credentials.NewTLS(w.serverTLS()))}, opts...)
		}
		gs := grpc.NewServer(opts...)
		testpb.RegisterTestServiceServer(gs, grpcPeer{peer: p})
		if wrap.attachGRPC != nil {
			wrap.attachGRPC(gs)
		}
		go func() { _ = gs.Serve(l) }()
		w.t.Cleanup(gs.Stop)
		return p
	}
	srv := &http.Server{
		Handler: p, Protocols: w.protocols(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
		ReadHeaderTimeout: time.Minute,
	}
	if wrap.http != nil {
		wrap.http(srv)
	}
	w.t.Cleanup(func() { _ = srv.Close() })
	if w.secure {
		if srv.TLSConfig == nil { // as Attach sets it
			srv.TLSConfig = w.serverTLS()
		}
		go func() { _ = srv.ServeTLS(l, "", "") }()
		return p
	}
	go func() { _ = srv.Serve(l) }()
	return p
}

// transport is a caller's own. It goes to addr whatever the host, or where it is told if addr is empty.
func (w *world) transport(addr string) *http.Transport {
	tr := &http.Transport{Protocols: w.protocols()}
	if w.secure && addr != "" { // else the mesh knows whom to expect
		tr.TLSClientConfig = w.clientTLS()
	}
	tr.DialContext = func(ctx context.Context, network, to string) (net.Conn, error) {
		w.dialed.Add(1)
		if v := ctx.Value(mark{}); v == nil {
			w.t.Error("the values of the caller's context are hidden from its dialer")
		}
		if addr != "" {
			to = addr
		}
		return w.net.DialContext(ctx, network, to)
	}
	w.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// connect makes a gRPC connection; what opts say of the mesh comes first, so that the probes see attempts, but for the
// credentials, which those of an identity replace.
func (w *world) connect(target string, opts ...grpc.DialOption) *grpc.ClientConn {
	opts = append([]grpc.DialOption{grpc.WithTransportCredentials(w.credentials())}, opts...)
	opts = append(opts, grpc.WithNoProxy(),
		grpc.WithChainUnaryInterceptor(w.probeUnary), grpc.WithChainStreamInterceptor(w.probeStream))
	cc := must(grpc.NewClient(target, opts...))(w)
	w.t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// dialer is a caller's own for gRPC, with the rule of transport.
func (w *world) dialer(addr string) grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, to string) (net.Conn, error) {
		w.dialed.Add(1)
		if addr != "" {
			to = addr
		}
		return w.net.DialContext(ctx, "tcp", to)
	})
}

// counting counts the connections that a listener accepts.
type counting struct {
	net.Listener
	n *atomic.Int32
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}
