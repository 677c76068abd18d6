package server

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
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
	*Server

	net   *memnet.Network // nil: the loopback
	addr  string
	close func()
}

// inBubble runs a test where time is the bubble's, and the network in memory.
func inBubble(t *testing.T, cfg Config, f func(t *testing.T, sh *shop)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sh := openShop(t, cfg)
		sh.net = new(memnet.Network)
		f(t, sh)
	})
}

func (sh *shop) listen() (net.Listener, error) {
	if sh.net != nil {
		return sh.net.Listen("orders:443")
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// openShop makes a server of the trust domain "shop", without a listener.
func openShop(t *testing.T, cfg Config) *shop {
	t.Helper()
	sh := &shop{t: t, root: pkitest.Root(t), id: new(pkitest.Live)}
	sh.id.Set(sh.root.Workload([]string{"spiffe://shop/orders"}).Material(sh.root))
	cfg.Identity, cfg.Logger = sh.id, slog.New(slog.NewTextHandler(&sh.log, nil))
	sh.Server = mustNew(t, cfg)
	return sh
}

// serve attaches a server for h, over TLS on a port of its own.
func (sh *shop) serve(h http.Handler, prepare ...func(*http.Server)) {
	sh.t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)} //nolint:gosec // Attach sets the time limits
	for _, f := range prepare {
		f(srv)
	}
	sh.Attach(srv)
	l, err := sh.listen()
	if err != nil {
		sh.t.Fatal(err)
	}
	sh.addr = l.Addr().String()
	sh.close = func() { _ = srv.Close() }
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.ServeTLS(l, "", "")
	}()
	sh.t.Cleanup(func() { sh.close(); <-done })
}

// member is the identity of a client.
func (sh *shop) member(id string, changes ...pkitest.Change) *security.Material {
	return sh.root.Workload([]string{id}, changes...).Material(sh.root)
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

// client is one of HTTP/1.1 or HTTP/2.
func (sh *shop) client(major int, cfg *tls.Config) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(major == 1)
	protocols.SetHTTP2(major == 2)
	tr := &http.Transport{TLSClientConfig: cfg, Protocols: protocols}
	if sh.net != nil {
		tr.DialContext = sh.net.DialContext
	}
	sh.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (sh *shop) url(path string) string { return "https://" + sh.addr + path }

// onBoth runs a test over HTTP/1.1 and HTTP/2.
func onBoth(t *testing.T, f func(t *testing.T, wi wire)) {
	for _, wi := range []wire{wireH1S, wireH2} {
		t.Run(wi.name, func(t *testing.T) { f(t, wi) })
	}
}
