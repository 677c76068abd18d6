package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// secure serves with a certificate for "example.com", over HTTP/2 too where h2 is set, and gives the path of its authority.
func secure(t *testing.T, h http.Handler, h2 bool) (addr, ca string, srv *httptest.Server) {
	t.Helper()
	srv = httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = h2
	srv.Config.ErrorLog = quiet
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String(), write(t, t.TempDir(), "ca.pem", "CERTIFICATE", srv.Certificate().Raw), srv
}

func securely(ca string, c *traffic.Connections) traffic.Policy {
	p := connections(c)
	p.Destinations[0].TLS = &traffic.TLS{Mode: traffic.TLSSimple, CA: ca, ServerName: "example.com"}
	return p
}

func closeIdle(rt http.RoundTripper) { rt.(interface{ CloseIdleConnections() }).CloseIdleConnections() }

// TestMaxRequestsOverTLS: connections are counted beneath TLS, and beneath what wraps the transport.
func TestMaxRequestsOverTLS(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP2 ", h2), func(t *testing.T) {
			seen := &conns{}
			addr, ca, _ := secure(t, seen, h2)
			c := newClient(t, client.Config{
				Discovery: discovery.Static{"orders": {{Addr: addr}}}, Traffic: securely(ca, &traffic.Connections{MaxRequests: 4}),
				WrapAttempt: func(next http.RoundTripper) http.RoundTripper { return roundTripFunc(next.RoundTrip) },
			})
			rt := c.Transport(nil)
			defer closeIdle(rt)
			for range 20 {
				resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
				if got, want := text(t, resp, err), map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; got != want {
					t.Fatalf("over %s, want %s", got, want)
				}
			}
			if len(seen.n) != 5 {
				t.Errorf("20 requests over %d connections, want 5: %v", len(seen.n), seen.n)
			}
		})
	}
}

// TestMaxRequestsOfOwnTLS: the base may make its TLS connections itself.
func TestMaxRequestsOfOwnTLS(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP2 ", h2), func(t *testing.T) {
			seen := &conns{}
			addr, _, srv := secure(t, seen, h2)
			roots := x509.NewCertPool()
			roots.AddCert(srv.Certificate())
			cfg := &tls.Config{RootCAs: roots, ServerName: "example.com", NextProtos: []string{"h2", "http/1.1"}}
			base := &http.Transport{ForceAttemptHTTP2: true, DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return (&tls.Dialer{Config: cfg}).DialContext(ctx, network, addr)
			}}
			c := newClient(t, client.Config{
				Discovery: discovery.Static{"orders": {{Addr: addr}}}, Traffic: connections(&traffic.Connections{MaxRequests: 4, ConnectTimeout: time.Minute}),
			})
			rt := c.Transport(base)
			defer closeIdle(rt)
			for range 20 {
				resp, err := rt.RoundTrip(request(t, "GET", "https://orders/", nil))
				if got, want := text(t, resp, err), map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; got != want {
					t.Fatalf("over %s, want %s", got, want)
				}
			}
			if len(seen.n) != 5 {
				t.Errorf("20 requests over %d connections, want 5: %v", len(seen.n), seen.n)
			}
		})
	}
}

// TestHTTP2Setting over TLS: off and on, against servers that speak it and that do not.
func TestHTTP2Setting(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		server bool
		set    *bool
		want   string // the protocol, or a part of the error
	}{
		{true, nil, "HTTP/2.0"}, {true, &no, "HTTP/1.1"}, {true, &yes, "HTTP/2.0"},
		{false, nil, "HTTP/1.1"}, {false, &no, "HTTP/1.1"}, {false, &yes, "no application protocol"},
	} {
		name := fmt.Sprint("server ", tt.server, ", set ", tt.set != nil && *tt.set)
		t.Run(name, func(t *testing.T) {
			addr, ca, _ := secure(t, &conns{}, tt.server)
			c := newClient(t, client.Config{Discovery: discovery.Static{"orders": {{Addr: addr}}}, Traffic: securely(ca, &traffic.Connections{HTTP2: tt.set})})
			rt := c.Transport(nil)
			defer closeIdle(rt)
			resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
			if err != nil {
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			if got := text(t, resp, err); got != tt.want {
				t.Errorf("over %s, want %s", got, tt.want)
			}
		})
	}
}

// TestHTTP2WithoutALPN is a server that says nothing of protocols: it speaks HTTP/1.1, and a policy of HTTP/2 is not met.
func TestHTTP2WithoutALPN(t *testing.T) {
	yes := true
	_, ca, srv := secure(t, &conns{}, false)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: srv.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	own := &http.Server{Handler: &conns{}, ErrorLog: quiet}
	done := make(chan struct{})
	go func() { defer close(done); _ = own.Serve(l) }()
	defer func() { own.Close(); <-done }()
	for _, set := range []*bool{nil, &yes} {
		c := newClient(t, client.Config{Discovery: discovery.Static{"orders": {{Addr: l.Addr().String()}}}, Traffic: securely(ca, &traffic.Connections{HTTP2: set})})
		rt := c.Transport(nil)
		defer closeIdle(rt)
		resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
		switch {
		case set == nil:
			if got := text(t, resp, err); got != "HTTP/1.1" {
				t.Errorf("over %s", got)
			}
		case err == nil:
			t.Errorf("over %s", text(t, resp, err))
		default:
			t.Log(err)
		}
	}
}

// A server of HTTP/1.1 that is spoken to over h2c is told apart from one that is away.
func TestHTTP2AgainstHTTP1(t *testing.T) {
	yes := true
	srv := httptest.NewServer(&conns{})
	defer srv.Close()
	c := newClient(t, client.Config{Discovery: discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}}, Traffic: connections(&traffic.Connections{HTTP2: &yes})})
	rt := c.Transport(nil)
	defer closeIdle(rt)
	_, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil)) //nolint:bodyclose // there is none
	if err == nil || !strings.Contains(err.Error(), "http2") {
		t.Errorf("got %v", err)
	}
}

// The making of a connection ends where TLS begins to carry requests, not sooner.
func TestConnectTimeoutCoversTLS(t *testing.T) {
	_, ca, _ := secure(t, &conns{}, true)
	synctest.Test(t, func(t *testing.T) {
		m := &mesh{t: t}
		l, err := m.net.Listen("a:80")
		if err != nil {
			t.Fatal(err)
		}
		var silent sync.WaitGroup
		silent.Go(func() { // who takes connections, and says nothing
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				silent.Go(func() { _, _ = io.Copy(io.Discard, conn); conn.Close() })
			}
		})
		defer silent.Wait()
		defer l.Close()
		c := newClient(t, client.Config{
			Traffic: securely(ca, &traffic.Connections{ConnectTimeout: 300 * time.Millisecond}),
			Dial:    m.dial, Discovery: discovery.Static{"orders": {{Addr: "a:80"}}},
		})
		began := time.Now()
		_, err = c.Transport(nil).RoundTrip(request(t, "GET", "http://orders/", nil)) //nolint:bodyclose // there is none
		if err == nil || time.Since(began) != 300*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestMaxAgeBoundsIdling: a connection that nobody uses any more is not kept for longer than it may be old.
func TestMaxAgeBoundsIdling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan time.Duration, 1)
		began := time.Now()
		m := newMesh(t, client.Config{}, says("a"))
		m.c = newClient(t, client.Config{
			Traffic:   connections(&traffic.Connections{MaxAge: 10 * time.Second, IdleTimeout: time.Hour}),
			Discovery: discovery.Static{"orders": {{Addr: "a:80"}}},
			Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
				conn, err := m.dial(ctx, e)
				return &watched{Conn: conn, closed: func() { closed <- time.Since(began) }}, err
			},
		})
		m.rt = m.c.Transport(nil)
		m.ask("http://orders/")
		if after := <-closed; after != 10*time.Second {
			t.Errorf("closed after %v, want 10 s", after)
		}
	})
}

// TestReplacedConnectionsAreClosed: one that was in use when it was replaced is not kept for as long as an idle one may be.
func TestReplacedConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		yes := true
		policy := func(idle time.Duration) traffic.Policy {
			return connections(&traffic.Connections{HTTP2: &yes, IdleTimeout: idle})
		}
		live, err := traffic.NewLive(policy(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		closed, end := 0, make(chan struct{})
		m := newMesh(t, client.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/long" {
				w.WriteHeader(200)
				_ = http.NewResponseController(w).Flush()
				<-end
			}
		}))
		m.c = newClient(t, client.Config{
			Traffic: live, Discovery: discovery.Static{"orders": {{Addr: "a:80"}}},
			Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
				conn, err := m.dial(ctx, e)
				return &watched{Conn: conn, closed: func() { closed++ }}, err
			},
		})
		m.rt = m.c.Transport(nil)
		resp, err := m.rt.RoundTrip(request(t, "GET", "http://orders/long", nil))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			if err := live.Set(policy(time.Hour + time.Duration(i+1))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			m.ask("http://orders/")
			synctest.Wait()
			if i == 0 {
				close(end)
				text(t, resp, nil)
				synctest.Wait()
			}
		}
		if closed != 2 {
			t.Errorf("%d connections are closed, want the two that were replaced", closed)
		}
	})
}

// watched is a connection that tells when it is closed.
type watched struct {
	net.Conn

	once   sync.Once
	closed func()
}

func (w *watched) Close() error {
	w.once.Do(w.closed)
	return w.Conn.Close()
}

// keeper is a connection of the user's own around one of TCP.
type keeper struct {
	*net.TCPConn

	got net.KeepAliveConfig
}

func (k *keeper) SetKeepAliveConfig(c net.KeepAliveConfig) error {
	k.got = c
	return k.TCPConn.SetKeepAliveConfig(c)
}

// TestKeepalive reaches through a connection that wraps one of TCP; what is not said stays as it was dialled.
func TestKeepalive(t *testing.T) {
	srv := httptest.NewServer(says("a"))
	defer srv.Close()
	var made *keeper
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}},
		Traffic:   connections(&traffic.Connections{Keepalive: &traffic.Keepalive{Idle: 7 * time.Second}}),
		Dial: func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.Addr)
			if err != nil {
				return nil, err
			}
			made = &keeper{TCPConn: conn.(*net.TCPConn)}
			return made, nil
		},
	})
	rt := c.Transport(nil)
	defer closeIdle(rt)
	resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
	text(t, resp, err)
	if want := (net.KeepAliveConfig{Enable: true, Idle: 7 * time.Second, Interval: -1, Count: -1}); made.got != want {
		t.Errorf("got %+v, want %+v", made.got, want)
	}
}
