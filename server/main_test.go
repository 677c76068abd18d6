package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mustNew makes a Server that logs nothing and drains without delay, and closes it at the end of the test.
func mustNew(t testing.TB, cfg Config) *Server {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.DrainDelay == 0 {
		cfg.DrainDelay = -1
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A wire is a way in which a plain client reaches a server of the mesh.
type wire struct {
	name  string
	major int
	tls   bool
}

var (
	wireH1  = wire{"h1", 1, false}
	wireH1S = wire{"h1 TLS", 1, true}
	wireH2  = wire{"h2", 2, true}
	wireH2C = wire{"h2c", 2, false}
	wires   = []wire{wireH1, wireH1S, wireH2, wireH2C}
)

func onEachWire(t *testing.T, f func(*testing.T, wire)) {
	for _, w := range wires {
		t.Run(w.name, func(t *testing.T) { f(t, w) })
	}
}

// serve attaches a server for h to s and returns it with a client that speaks the wire.
func (wi wire) serve(t *testing.T, s *Server, h http.Handler) (*httptest.Server, *http.Client) {
	t.Helper()
	ts := httptest.NewUnstartedServer(h)
	ts.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Attach(ts.Config)
	ts.EnableHTTP2 = wi.major == 2
	protocols := new(http.Protocols)
	switch {
	case wi.tls:
		ts.StartTLS()
		protocols.SetHTTP1(wi.major == 1)
		protocols.SetHTTP2(wi.major == 2)
	default:
		protocols.SetHTTP1(wi.major == 1)
		protocols.SetUnencryptedHTTP2(wi.major == 2)
		ts.Config.Protocols = protocols
		ts.Start()
	}
	t.Cleanup(ts.Close)
	tr := ts.Client().Transport.(*http.Transport).Clone()
	tr.Protocols = protocols
	t.Cleanup(tr.CloseIdleConnections)
	return ts, &http.Client{Transport: tr}
}

// get fetches a path and checks that the wire is what it should be.
func (wi wire) get(t *testing.T, hc *http.Client, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.ProtoMajor != wi.major {
		t.Fatalf("the answer came over %s", res.Proto)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}
