package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// Every attacker is refused: the reason stands in the server's log, the client has an error, no handler runs.
func TestAttacks(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		for _, a := range pkitest.Attacks {
			t.Run(a.Name, func(t *testing.T) {
				sh := openShop(t, Config{})
				sh.serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }))
				hc := sh.client(wi.major, a.Config(t, sh.root))
				res, err := hc.Post(sh.url("/orders"), "text/plain", strings.NewReader("7"))
				if err == nil {
					res.Body.Close()
					t.Fatalf("answered %s", res.Status)
				}
				var op *net.OpError
				broken := errors.As(err, &op) || errors.Is(err, io.EOF) || strings.Contains(err.Error(), "http2: client conn could not be established")
				if !broken && !errors.Is(security.Refusal(err), security.ErrHandshakeRefused) {
					t.Errorf("the client got %v (%T), neither a refusal nor a broken connection", err, err)
				}
				if want := "reason=" + string(a.Reason) + " "; strings.Count(sh.log.String(), want) != 1 {
					t.Errorf("not once %q in the log:\n%s", want, sh.log.String())
				}
			})
		}
	})
}

func TestAuthorizeAndPeer(t *testing.T) {
	onBoth(t, func(t *testing.T, wi wire) {
		sh := openShop(t, Config{
			Authorize: security.Any(security.AllowID("spiffe://shop/web"), security.All(security.AllowTrustDomain("shop"), security.AllowMethods("GET /open/*"))),
			Public:    []string{"GET /healthz"},
		})
		sh.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, ok := PeerFrom(r.Context())
			if !ok {
				_, _ = io.WriteString(w, "nobody")
				return
			}
			_, _ = io.WriteString(w, p.ID.String())
		}))
		web, other := sh.client(wi.major, sh.as(sh.member("spiffe://shop/web"))), sh.client(wi.major, sh.as(sh.member("spiffe://shop/other")))
		nobody := sh.client(wi.major, pkitest.Attacks[0].Config(t, sh.root))
		const neutral = "the caller may not do this\n"
		for _, tc := range []struct {
			name   string
			hc     *http.Client
			path   string
			status int
			body   string
		}{
			{"web", web, "/orders", 200, "spiffe://shop/web"},
			{"web again", web, "/orders", 200, "spiffe://shop/web"},
			{"web, public", web, "/healthz", 200, "spiffe://shop/web"},
			{"other", other, "/orders", 403, neutral},
			{"other, allowed path", other, "/open/7", 200, "spiffe://shop/other"},
			{"other, a way around", other, "/open/../orders", 403, neutral},
			{"nobody", nobody, "/orders", 401, "the caller has not proved who it is\n"},
			{"nobody, public", nobody, "/healthz", 200, "nobody"},
			{"nobody, nearly public", nobody, "/healthz/", 401, "the caller has not proved who it is\n"},
		} {
			t.Run(tc.name, func(t *testing.T) {
				if res, body := wi.get(t, tc.hc, sh.url(tc.path)); res.StatusCode != tc.status || body != tc.body {
					t.Errorf("%s %q", res.Status, body)
				}
			})
		}
		for _, want := range []string{"reason=denied", "peer=spiffe://shop/other", "path=/orders", "reason=unauthenticated rule=no_certificate"} {
			if !strings.Contains(sh.log.String(), want) {
				t.Errorf("no %s in the log:\n%s", want, sh.log.String())
			}
		}
	})
}

// A handler without Attach, under TLS of the caller's own making, judges by the same identity.
func TestHandlerAlone(t *testing.T) {
	sh := openShop(t, Config{})
	ts := httptest.NewUnstartedServer(sh.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := PeerFrom(r.Context())
		_, _ = io.WriteString(w, p.String())
	})))
	l := ts.Listener
	sh.addr = l.Addr().String()
	ts.Config.TLSConfig = sh.TLSConfig()
	done := make(chan struct{})
	go func() { defer close(done); _ = ts.Config.ServeTLS(l, "", "") }()
	defer func() { _ = ts.Config.Close(); <-done }()
	if res, body := wireH1S.get(t, sh.client(1, sh.as(sh.member("spiffe://shop/web"))), sh.url("/")); res.StatusCode != 200 || body != "spiffe://shop/web" {
		t.Errorf("%s %q", res.Status, body)
	}
}

// With an identity nothing comes in over plain text.
func TestPlainTextIsRefused(t *testing.T) {
	sh := openShop(t, Config{Public: []string{"/healthz"}})
	ts := httptest.NewServer(sh.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer ts.Close()
	for path, want := range map[string]int{"/orders": 401, "/healthz": 200} {
		res, _ := wireH1.get(t, ts.Client(), ts.URL+path)
		if res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

// Rules alone, without an identity, judge what is asked for.
func TestAuthorizeAlone(t *testing.T) {
	onEachWire(t, func(t *testing.T, wi wire) {
		s := mustNew(t, Config{Authorize: security.AllowMethods("GET /open")})
		ts, hc := wi.serve(t, s, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if p, ok := PeerFrom(r.Context()); ok {
				t.Errorf("peer %v", p)
			}
		}))
		for path, want := range map[string]int{"/open": 200, "/shut": 403} {
			if res, _ := wi.get(t, hc, ts.URL+path); res.StatusCode != want {
				t.Errorf("%s: %s", path, res.Status)
			}
		}
	})
}

func TestConfigOfCallers(t *testing.T) {
	sh := openShop(t, Config{})
	var none security.AuthorizerFunc
	for name, tc := range map[string]struct {
		cfg  Config
		want []string
	}{
		"id":      {Config{Authorize: security.AllowID("web")}, []string{"server: Authorize: ", `"web"`}},
		"nil":     {Config{Identity: sh.id, Authorize: none}, []string{"server: Authorize: "}},
		"pattern": {Config{Identity: sh.id, Public: []string{"/ok", "healthz"}}, []string{"server: Public: ", `"healthz"`}},
	} {
		_, err := New(tc.cfg)
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
	bare := mustNew(t, Config{Public: []string{"/healthz"}})
	if bare.TLSConfig() != nil {
		t.Error("TLS without an identity")
	}
	if err := bare.SetAuthorize(security.AllowID()); err == nil || !strings.Contains(err.Error(), "SetAuthorize") {
		t.Errorf("SetAuthorize: %v", err)
	}
	if err := sh.SetAuthorize(security.AllowID("web")); err == nil || !strings.Contains(err.Error(), `"web"`) {
		t.Errorf("SetAuthorize: %v", err)
	}
	if _, ok := PeerFrom(context.Background()); ok {
		t.Error("a peer in an empty context")
	}
}

// Attach leaves a TLSConfig that is there alone.
func TestAttachKeepsTLSConfig(t *testing.T) {
	sh := openShop(t, Config{})
	theirs := sh.TLSConfig()
	srv := &http.Server{TLSConfig: theirs} //nolint:gosec // it serves nobody
	sh.Attach(srv)
	if srv.TLSConfig != theirs {
		t.Error("it was replaced")
	}
}

// A request that is allowed costs what it costs without an identity, where the server is attached.
func TestAllocationsWithIdentity(t *testing.T) {
	sh := openShop(t, Config{Authorize: security.AllowID("spiffe://shop/web"), Public: []string{"GET /healthz"}})
	leaf := sh.member("spiffe://shop/web").Certificate().Leaf
	state := &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, PeerCertificates: []*x509.Certificate{leaf}}
	c := &conn{server: sh.Server}
	c.state.Store(state)
	h := sh.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := PeerFrom(r.Context()); !ok {
			t.Error("no peer")
		}
		w.WriteHeader(204)
	}))
	w := http.ResponseWriter(discard{http.Header{}})
	for _, tc := range []struct {
		name string
		ctx  context.Context
		most float64
	}{
		{"attached", context.WithValue(t.Context(), stack.PeerKey{}, c), 1},
		{"handler alone", t.Context(), 3}, // a context, and the copy of the request that has it
	} {
		r := (&http.Request{Method: "GET", URL: &url.URL{Path: "/"}, Header: http.Header{}, TLS: state}).WithContext(tc.ctx)
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); n > tc.most {
			t.Errorf("%s: %v allocations a request, want at most %v", tc.name, n, tc.most)
		}
	}
}
