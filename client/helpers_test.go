package client_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/resilience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mesh is a network in memory with endpoints of one service, orders, and a client for it.
type mesh struct {
	t   *testing.T
	net memnet.Network
	c   *client.Client
	rt  http.RoundTripper
}

// newMesh serves each handler at an address of its own, "a:80", "b:80" and so on. A nil handler is an address where nobody
// listens.
func newMesh(t *testing.T, cfg client.Config, handlers ...http.Handler) *mesh {
	t.Helper()
	m := &mesh{t: t}
	var eps []discovery.Endpoint
	for i, h := range handlers {
		addr := string(rune('a'+i)) + ":80"
		eps = append(eps, discovery.Endpoint{Addr: addr})
		if h != nil {
			m.serve(addr, h)
		}
	}
	if cfg.Discovery == nil {
		cfg.Discovery = discovery.Static{"orders": eps}
	}
	cfg.Dial = m.dial
	m.c = newClient(t, cfg)
	m.rt = m.c.Transport(nil)
	return m
}

func (m *mesh) dial(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
	return m.net.DialContext(ctx, "tcp", e.Addr)
}

func (m *mesh) serve(addr string, h http.Handler) *http.Server {
	m.t.Helper()
	l, err := m.net.Listen(addr)
	if err != nil {
		m.t.Fatal(err)
	}
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	srv := &http.Server{Handler: h, Protocols: &both, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l)
	}()
	m.t.Cleanup(func() { srv.Close(); <-done })
	return srv
}

// newClient makes a client that ends with the test.
func newClient(t *testing.T, cfg client.Config) *client.Client {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

var standard = resilience.Config{Default: resilience.Standard()}

// request makes one whose context belongs to the test.
func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	return requestWith(t, t.Context(), method, url, body)
}

func requestWith(t *testing.T, ctx context.Context, method, url string, body io.Reader) *http.Request { //nolint:revive // t comes first in helpers
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// text reads a response whole and closes it.
func text(t *testing.T, resp *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tracked is a body without GetBody that knows whether it was closed.
type tracked struct {
	r      io.Reader
	once   sync.Once
	closed chan struct{}
}

func track(s string) *tracked { return &tracked{r: strings.NewReader(s), closed: make(chan struct{})} }

func (b *tracked) Read(p []byte) (int, error) { return b.r.Read(p) }

func (b *tracked) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// counter is a handler that counts what it serves.
type counter struct {
	http.Handler

	n atomic.Int64
}

func count(h http.HandlerFunc) *counter { return &counter{Handler: h} }

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.n.Add(1)
	c.Handler.ServeHTTP(w, r)
}

// status answers with a status and nothing else.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// echo answers with the request's body.
func echo(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	_, _ = b.ReadFrom(r.Body)
	_, _ = w.Write(b.Bytes())
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// quiet is a log of servers whose clients are expected to fail.
var quiet = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
