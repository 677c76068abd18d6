package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// conns are the connections over which requests came, each with its number of requests.
type conns struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *conns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[string]int)
	}
	c.n[r.RemoteAddr]++
	fmt.Fprint(w, r.Proto)
}

func connections(c *traffic.Connections) traffic.Policy {
	return traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{Connections: c}}}}
}

// TestMaxRequests counts requests on each connection, over real ones, of which every one has an address.
func TestMaxRequests(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP2 ", h2), func(t *testing.T) {
			seen := &conns{}
			srv := httptest.NewUnstartedServer(seen)
			srv.Config.Protocols = new(http.Protocols)
			srv.Config.Protocols.SetHTTP1(true)
			srv.Config.Protocols.SetUnencryptedHTTP2(true)
			srv.Start()
			defer srv.Close()
			c := newClient(t, client.Config{
				Discovery: discovery.Static{"orders": {{Addr: srv.Listener.Addr().String()}}},
				Traffic:   connections(&traffic.Connections{MaxRequests: 4, HTTP2: &h2}),
			})
			rt := c.Transport(nil)
			for range 20 {
				resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
				if got, want := text(t, resp, err), map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[h2]; got != want {
					t.Fatalf("over %s, want %s", got, want)
				}
			}
			if len(seen.n) != 5 {
				t.Errorf("20 requests over %d connections, want 5: %v", len(seen.n), seen.n)
			}
			rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		})
	}
}

// TestMaxAge has time pass between requests, in which a connection stays or becomes too old.
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials int
		m := newMesh(t, client.Config{}, says("a"))
		m.c = newClient(t, client.Config{
			Traffic: connections(&traffic.Connections{MaxAge: 10 * time.Second, IdleTimeout: time.Hour}),
			Dial:    counting(&dials, m.dial), Discovery: discovery.Static{"orders": {{Addr: "a:80"}}},
		})
		m.rt = m.c.Transport(nil)
		for _, want := range []int{1, 1, 2, 2, 3} {
			m.ask("http://orders/")
			if dials != want {
				t.Errorf("%d connections were made, want %d", dials, want)
			}
			time.Sleep(6 * time.Second)
		}
	})
}

// A change of policy that leaves the connections' part and that of TLS as they were leaves the connections, too.
func TestConnectionsOutliveAChange(t *testing.T) {
	policy := func(name string, idle time.Duration) traffic.Policy {
		p := connections(&traffic.Connections{IdleTimeout: idle})
		p.Destinations[0].TLS = &traffic.TLS{Mode: traffic.TLSDisable}
		p.Routes = []traffic.Route{{Name: name}}
		return p
	}
	synctest.Test(t, func(t *testing.T) {
		live, err := traffic.NewLive(policy("one", time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		var dials int
		m := newMesh(t, client.Config{}, says("a"))
		m.c = newClient(t, client.Config{Traffic: live, Dial: counting(&dials, m.dial), Discovery: discovery.Static{"orders": {{Addr: "a:80"}}}})
		m.rt = m.c.Transport(nil)
		for _, step := range []struct {
			policy traffic.Policy
			want   int
		}{{policy("one", time.Minute), 1}, {policy("two", time.Minute), 1}, {policy("two", time.Hour), 2}} {
			if err := live.Set(step.policy); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			m.ask("http://orders/")
			if dials != step.want {
				t.Errorf("%d connections were made, want %d", dials, step.want)
			}
		}
		m.c.Close()
	})
}

func TestConnectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, client.Config{
			Traffic:   connections(&traffic.Connections{ConnectTimeout: 300 * time.Millisecond}),
			Discovery: discovery.Static{"orders": {{Addr: "a:80"}}},
			Dial:      never,
		})
		began := time.Now()
		_, err := c.Transport(nil).RoundTrip(request(t, "GET", "http://orders/", nil)) //nolint:bodyclose // there is none
		if err == nil || time.Since(began) != 300*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// TestTLSModes speaks with a server that has a certificate for "example.com" of an authority of its own.
func TestTLSModes(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%t %d", r.TLS != nil, len(peerCerts(r.TLS)))
	}))
	srv.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	defer srv.Close()
	plain := httptest.NewServer(srv.Config.Handler)
	defer plain.Close()

	dir := t.TempDir()
	ca := write(t, dir, "ca.pem", "CERTIFICATE", srv.Certificate().Raw)
	der, err := x509.MarshalPKCS8PrivateKey(srv.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	key := write(t, dir, "key.pem", "PRIVATE KEY", der)

	for _, tt := range []struct {
		name string
		to   string
		tls  traffic.TLS
		want string // what the server saw, or a part of the error
	}{
		{"disable", plain.Listener.Addr().String(), traffic.TLS{Mode: traffic.TLSDisable}, "false 0"},
		{"simple", srv.Listener.Addr().String(), traffic.TLS{Mode: traffic.TLSSimple, CA: ca, ServerName: "example.com"}, "true 0"},
		{"simple, the service's name", srv.Listener.Addr().String(), traffic.TLS{Mode: traffic.TLSSimple, CA: ca}, "not orders"},
		{"simple, other authorities", srv.Listener.Addr().String(), traffic.TLS{Mode: traffic.TLSSimple, ServerName: "example.com"}, "unknown authority"},
		{"one of the names", srv.Listener.Addr().String(), traffic.TLS{Mode: traffic.TLSSimple, CA: ca, Names: []string{"spiffe://x", "example.com"}}, "true 0"},
		{"none of the names", srv.Listener.Addr().String(), traffic.TLS{Mode: traffic.TLSSimple, CA: ca, Names: []string{"spiffe://x"}}, "none of the names"},
		{"mutual", srv.Listener.Addr().String(), traffic.TLS{Mode: traffic.TLSMutual, CA: ca, ServerName: "example.com", Cert: ca, Key: key}, "true 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, client.Config{
				Discovery: discovery.Static{"orders": {{Addr: tt.to}}},
				Traffic:   traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{TLS: &tt.tls}}}},
			})
			rt := c.Transport(nil)
			defer rt.(interface{ CloseIdleConnections() }).CloseIdleConnections()
			resp, err := rt.RoundTrip(request(t, "GET", "mesh://orders/", nil))
			if err != nil {
				if !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				return
			}
			if got := text(t, resp, err); got != tt.want {
				t.Errorf("the server saw %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTLSIsChecked(t *testing.T) {
	for _, tt := range []struct {
		tls  traffic.TLS
		want string
	}{
		{traffic.TLS{Mode: traffic.TLSMesh}, "needs Config.Identity"},
		{traffic.TLS{Mode: traffic.TLSSimple, CA: "/no/such/file"}, "no such file"},
		{traffic.TLS{Mode: traffic.TLSMutual, Cert: "/no/such/file", Key: "/no/such/file"}, "no such file"},
	} {
		_, err := client.New(client.Config{
			Discovery: discovery.Static{"orders": {{Addr: "a:80"}}},
			Traffic:   traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{TLS: &tt.tls}}}},
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "Destinations[0] (orders).TLS") {
			t.Errorf("%+v: got %v, want %q", tt.tls, err, tt.want)
		}
	}
}

func peerCerts(s *tls.ConnectionState) []*x509.Certificate {
	if s == nil {
		return nil
	}
	return s.PeerCertificates
}

func write(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type dialFunc = func(context.Context, discovery.Endpoint) (net.Conn, error)

// counting counts the connections that dial makes.
func counting(n *int, dial dialFunc) dialFunc {
	return func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
		*n++
		return dial(ctx, e)
	}
}

// never makes no connection.
func never(ctx context.Context, _ discovery.Endpoint) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A destination that the policy has speak HTTP/2 is no matter of connections from its first call on.
func TestHTTP2SharesFromTheStart(t *testing.T) {
	const calls = 10
	synctest.Test(t, func(t *testing.T) {
		var here sync.WaitGroup
		here.Add(calls)
		h2 := true
		p := connections(&traffic.Connections{HTTP2: &h2})
		p.Destinations[0].Resilience.Limit = &resilience.Limit{Connections: 1, Pending: 1}
		m := newMesh(t, client.Config{Traffic: p}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			here.Done()
			here.Wait()
		}))
		var done sync.WaitGroup
		for range calls {
			done.Go(func() {
				resp, err := m.rt.RoundTrip(request(t, "GET", "http://orders/", nil))
				if err != nil {
					t.Error(err)
					here.Done()
					return
				}
				resp.Body.Close()
			})
		}
		done.Wait()
	})
}
