package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
)

// who answers with what the server saw of the connection.
func who(w http.ResponseWriter, r *http.Request) {
	name := ""
	if r.TLS != nil {
		name = r.TLS.ServerName
	}
	fmt.Fprintf(w, "%s %s %s", r.Proto, r.Host, name)
}

// tlsServer speaks HTTP/2 where asked, and its certificate is for example.com.
func tlsServer(t *testing.T, h2 bool) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(who))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = h2
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return srv, pool
}

// over makes a client for one endpoint.
func over(t *testing.T, addr string, base http.RoundTripper) http.RoundTripper {
	t.Helper()
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"example.com": {{Addr: addr}}}, Resilience: standard,
	})
	return c.Transport(base)
}

func noProxy(*http.Request) (*url.URL, error) { return nil, fmt.Errorf("a proxy was asked for") }

// TestProtocols: which protocol is spoken is a matter of the transport that is given, used or not.
func TestProtocols(t *testing.T) {
	srv, pool := tlsServer(t, true)
	addr := srv.Listener.Addr().String()
	trust := &tls.Config{RootCAs: pool}
	h1only := map[string]func(string, *tls.Conn) http.RoundTripper{}
	var both, onlyH1 http.Protocols
	both.SetHTTP1(true)
	both.SetHTTP2(true)
	onlyH1.SetHTTP1(true)
	used := func(tr *http.Transport) *http.Transport {
		tr.Proxy = nil
		dial := tr.DialContext
		defer func() { tr.DialContext, tr.Proxy = dial, noProxy }()
		resp, err := (&http.Client{Transport: tr}).Get(srv.URL) //nolint:noctx // a test's own
		text(t, resp, err)
		tr.CloseIdleConnections()
		return tr
	}
	clone := http.DefaultTransport.(*http.Transport).Clone()
	clone.TLSClientConfig = trust.Clone()
	dialed := func(network, _ string) (net.Conn, error) { return net.Dial(network, addr) } //nolint:noctx // the old type
	for _, tt := range []struct {
		name  string
		base  *http.Transport
		proto string
	}{
		{"a clone of the default", clone, "HTTP/2.0"},
		{"the same, used", used(clone.Clone()), "HTTP/2.0"},
		{"with a TLS config", &http.Transport{TLSClientConfig: trust.Clone()}, "HTTP/1.1"},
		{"the same, used", used(&http.Transport{TLSClientConfig: trust.Clone()}), "HTTP/1.1"},
		{"forced", &http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true}, "HTTP/2.0"},
		{"the same, used", used(&http.Transport{TLSClientConfig: trust.Clone(), ForceAttemptHTTP2: true}), "HTTP/2.0"},
		{"by Protocols", &http.Transport{TLSClientConfig: trust.Clone(), Protocols: &both}, "HTTP/2.0"},
		{"switched off by Protocols", &http.Transport{TLSClientConfig: trust.Clone(), Protocols: &onlyH1, ForceAttemptHTTP2: true}, "HTTP/1.1"},
		{"switched off the old way", &http.Transport{TLSClientConfig: trust.Clone(), TLSNextProto: h1only, ForceAttemptHTTP2: true}, "HTTP/1.1"},
		{"the same, used", used(&http.Transport{TLSClientConfig: trust.Clone(), TLSNextProto: h1only}), "HTTP/1.1"},
		{"with an old dialer", &http.Transport{TLSClientConfig: trust.Clone(), Dial: dialed}, "HTTP/1.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.base.Proxy = noProxy
			resp, err := over(t, addr, tt.base).RoundTrip(request(t, http.MethodGet, "https://example.com/", nil))
			if got, want := text(t, resp, err), tt.proto+" example.com example.com"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if tt.base.Proxy == nil {
				t.Error("the transport that was given was changed")
			}
		})
	}
}

// TestPlainProtocols: HTTP/1.1, and HTTP/2 without TLS where the base says so.
func TestPlainProtocols(t *testing.T) {
	var h2c, all http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	all.SetHTTP1(true)
	all.SetUnencryptedHTTP2(true)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(who))
	srv.Config.Protocols = &all
	srv.Start()
	t.Cleanup(srv.Close)
	for want, base := range map[string]*http.Transport{
		"HTTP/1.1 example.com ": nil,
		"HTTP/2.0 example.com ": {Protocols: &h2c, Proxy: noProxy},
	} {
		rt := over(t, srv.Listener.Addr().String(), base)
		if base == nil {
			rt = over(t, srv.Listener.Addr().String(), nil)
		}
		for _, scheme := range []string{"mesh", "http"} {
			resp, err := rt.RoundTrip(request(t, http.MethodGet, scheme+"://example.com/", nil))
			if got := text(t, resp, err); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// TestHTTPSIsNeverPlainText: a server without TLS is not spoken to.
func TestHTTPSIsNeverPlainText(t *testing.T) {
	var got bytes.Buffer
	served := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			first := make([]byte, 1)
			_, _ = io.ReadFull(c, first)
			got.Write(first)
			c.Close()
		}
	}()
	_, err = over(t, l.Addr().String(), &http.Transport{}).RoundTrip(request(t, http.MethodPost, "https://example.com/", strings.NewReader("secret"))) //nolint:bodyclose // there is none
	if err == nil {
		t.Error("an answer without TLS")
	}
	l.Close()
	<-served
	if b := got.Bytes(); len(b) == 0 || strings.Trim(string(b), "\x16") != "" {
		t.Errorf("the first bytes were %x, want a TLS handshake's", b)
	}
}

// TestWrongCertificate: the name that counts is the service's.
func TestWrongCertificate(t *testing.T) {
	srv, pool := tlsServer(t, true)
	c := newClient(t, client.Config{Discovery: discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}}})
	rt := c.Transport(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}})
	_, err := rt.RoundTrip(request(t, http.MethodGet, "https://orders/", nil)) //nolint:bodyclose // there is none
	if err == nil || !strings.Contains(err.Error(), "not orders") {
		t.Errorf("%v", err)
	}
}

// TestDialersArePinned: whatever a base dials with, it is asked for the endpoint.
func TestDialersArePinned(t *testing.T) {
	srv, pool := tlsServer(t, false)
	addr := srv.Listener.Addr().String()
	trust := &tls.Config{RootCAs: pool, ServerName: "example.com"}
	for name, base := range map[string]func(note func(string)) *http.Transport{
		"DialContext": func(note func(string)) *http.Transport {
			return &http.Transport{TLSClientConfig: trust, DialContext: func(ctx context.Context, network, a string) (net.Conn, error) {
				note(a)
				return new(net.Dialer).DialContext(ctx, network, a)
			}}
		},
		"Dial": func(note func(string)) *http.Transport {
			return &http.Transport{TLSClientConfig: trust, Dial: func(network, a string) (net.Conn, error) {
				note(a)
				return net.Dial(network, a) //nolint:noctx // the old type
			}}
		},
		"DialTLSContext": func(note func(string)) *http.Transport {
			return &http.Transport{DialTLSContext: func(ctx context.Context, network, a string) (net.Conn, error) {
				note(a)
				return (&tls.Dialer{Config: trust}).DialContext(ctx, network, a)
			}}
		},
		"DialTLS": func(note func(string)) *http.Transport {
			return &http.Transport{DialTLS: func(network, a string) (net.Conn, error) {
				note(a)
				return tls.Dial(network, a, trust) //nolint:noctx // the old type
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := ""
			resp, err := over(t, addr, base(func(a string) { asked = a })).RoundTrip(request(t, http.MethodGet, "https://example.com/", nil))
			text(t, resp, err)
			if asked != addr {
				t.Errorf("dialled %q, want %q", asked, addr)
			}
		})
	}
}

// TestConfigDialCarriesTLS: it opens the connection, TLS comes on top, also where the base would do both.
func TestConfigDialCarriesTLS(t *testing.T) {
	srv, pool := tlsServer(t, true)
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"example.com": {{Addr: "nowhere.invalid:1", Zone: "z"}}},
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			if e.Zone != "z" {
				t.Errorf("%+v", e)
			}
			return new(net.Dialer).DialContext(ctx, "tcp", srv.Listener.Addr().String())
		},
	})
	rt := c.Transport(&http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		DialTLSContext:  func(context.Context, string, string) (net.Conn, error) { return nil, fmt.Errorf("not by this way") },
	})
	resp, err := rt.RoundTrip(request(t, http.MethodGet, "https://example.com/", nil))
	if got := text(t, resp, err); !strings.HasSuffix(got, "example.com example.com") {
		t.Errorf("%q", got)
	}
}

// TestUnixSocket is an address like any other.
func TestUnixSocket(t *testing.T) {
	path := t.TempDir() + "/s"
	l, err := net.Listen("unix", path) //nolint:noctx // a test's own
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(who))
	srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	for _, base := range []http.RoundTripper{nil, &http.Transport{}} {
		resp, err := over(t, "unix:"+path, base).RoundTrip(request(t, http.MethodGet, "mesh://example.com/", nil))
		if got := text(t, resp, err); got != "HTTP/1.1 example.com " {
			t.Errorf("%q", got)
		}
	}
}
