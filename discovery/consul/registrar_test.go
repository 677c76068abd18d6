package consul

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/consultest"
	"github.com/intramesh/intramesh/internal/pkitest"
)

func register(t *testing.T, p *Plane, r discovery.Registration) discovery.Lease {
	t.Helper()
	l, err := p.Register(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func leave(t *testing.T, l discovery.Lease) {
	t.Helper()
	if err := l.Leave(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestRegister follows one server through all of its tests: what is registered is found, with all that is known of it.
func TestRegister(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	p := newPlane(t, Config{Address: s.Addr()})

	t.Run("details", func(t *testing.T) {
		e := discovery.Endpoint{Addr: "127.0.0.1:8080", Zone: "a", Region: "eu", SubZone: "rack-7", Weight: 7, ID: "spiffe://shop/orders",
			Metadata: map[string]string{"version": "v1"}}
		w := listen(t, p, "orders")
		l := register(t, p, discovery.Registration{Service: "orders", Endpoint: e, Tags: []string{"canary", "track=stable"}})
		w.has("127.0.0.1:8080")
		e.Metadata = map[string]string{"version": "v1", "canary": "true", "track": "stable"}
		if d := cmp.Diff([]discovery.Endpoint{e}, w.set); d != "" {
			t.Error(d)
		}
		for name, found := range map[string]bool{
			"orders:8080": true, "orders:8081": false, "canary.orders.service": true, "other.orders.service": false,
			"orders.dc1": true, "orders.service.dc1.consul": true,
		} {
			w := listen(t, p, name)
			if u := w.next(); u.Kind == discovery.Failed || (len(u.Endpoints) == 1) != found {
				t.Errorf("%s: %+v, found: want %t", name, u, found)
			}
			w.cancel()
		}
		leave(t, l)
		w.until(func(u discovery.Update) bool { return u.Kind == discovery.Absent })
	})

	t.Run("readiness, drain, leave", func(t *testing.T) {
		var ready atomic.Bool
		ready.Store(true)
		w := listen(t, p, "stock")
		l := register(t, p, discovery.Registration{Service: "stock", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8081"}, Ready: ready.Load})
		w.has("127.0.0.1:8081")
		ready.Store(false)
		w.has()
		ready.Store(true)
		w.has("127.0.0.1:8081")
		if err := l.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		w.has()
		leave(t, l)
		w.until(func(u discovery.Update) bool { return u.Kind == discovery.Absent })
		leave(t, l) // again
	})

	t.Run("two on one host", func(t *testing.T) {
		w := listen(t, p, "twins")
		a := register(t, p, discovery.Registration{Service: "twins", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:1"}})
		b := register(t, p, discovery.Registration{Service: "twins", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:2"}})
		w.has("127.0.0.1:1", "127.0.0.1:2")
		leave(t, a)
		w.has("127.0.0.1:2")
		leave(t, b)
	})

	t.Run("instance dies", func(t *testing.T) {
		dying := newPlane(t, Config{Address: s.Addr()})
		w := listen(t, p, "mortal")
		register(t, dying, discovery.Registration{Service: "mortal", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:1"},
			Checks: []discovery.Check{{TTL: 2 * time.Second}}})
		w.has("127.0.0.1:1")
		dying.Close()
		w.has()
	})

	t.Run("refused", func(t *testing.T) {
		_, err := p.Register(t.Context(), discovery.Registration{Service: "odd", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:1",
			Metadata: map[string]string{"no spaces in keys": ""}}})
		if err == nil || !strings.Contains(err.Error(), "400") {
			t.Errorf("Register returned %v", err)
		}
		if _, err := p.Register(t.Context(), discovery.Registration{Service: "odd"}); err == nil {
			t.Error("a registration without address is accepted")
		}
		if _, err := p.Register(t.Context(), discovery.Registration{Service: "odd", Endpoint: discovery.Endpoint{Addr: "unix:/x"}}); err == nil {
			t.Error("a registration at a socket is accepted")
		}
	})

	t.Run("agent loses its state", func(t *testing.T) {
		w := listen(t, p, "orders")
		l := register(t, p, discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"},
			Checks: []discovery.Check{{TTL: 3 * time.Second}}})
		w.has("127.0.0.1:8080")
		s.Restart()
		s.Until("the instance is registered again", func() bool {
			all, _, err := s.Client().Health().Service("orders", "", true, nil)
			return err == nil && len(all) == 1
		})
		leave(t, l)
	})
}

// TestChecks has Consul look after instances that work and then do not.
func TestChecks(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	p := newPlane(t, Config{Address: s.Addr()})
	var ill atomic.Bool
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if ill.Load() {
			w.WriteHeader(503)
		}
	})
	const name = "orders.test"
	cert := pkitest.Root(t).Workload(nil, func(c *x509.Certificate) { c.DNSNames = []string{name} }).TLS()
	secret := &tls.Config{Certificates: []tls.Certificate{cert}, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if ill.Load() || h.ServerName != name {
			return nil, errors.New("not now, or not to you")
		}
		return nil, nil // the one that there is
	}}
	web, webTLS := httptest.NewServer(page), httptest.NewUnstartedServer(page)
	defer web.Close()
	webTLS.TLS, webTLS.Config.ErrorLog = secret, discardLog
	webTLS.StartTLS()
	defer webTLS.Close()
	plain, plainHealth := serveHealth(t)
	over, overHealth := serveHealth(t, grpc.Creds(credentials.NewTLS(secret)))
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()

	end := func() { ill.Store(true) }
	for _, c := range []struct {
		name  string
		check discovery.Check
		end   func()
	}{
		{"http", discovery.Check{HTTP: web.URL + "/health"}, end},
		{"grpc", discovery.Check{GRPC: plain + "/orders"}, plainHealth.Shutdown},
		{"tcp", discovery.Check{TCP: tcp.Addr().String()}, func() { tcp.Close() }},
		{"https", discovery.Check{HTTP: webTLS.URL, TLSServerName: name, TLSSkipVerify: true}, end},
		{"grpcs", discovery.Check{GRPC: over + "/orders", TLS: true, TLSServerName: name, TLSSkipVerify: true}, overHealth.Shutdown},
		{"tls", discovery.Check{TCP: webTLS.Listener.Addr().String(), TLS: true, TLSServerName: name, TLSSkipVerify: true}, end},
	} {
		ill.Store(false)
		c.check.Interval, c.check.Timeout = time.Second, 5*time.Second
		w := listen(t, p, c.name)
		l := register(t, p, discovery.Registration{Service: c.name, Endpoint: discovery.Endpoint{Addr: "127.0.0.1:9"}, Checks: []discovery.Check{c.check}})
		w.has("127.0.0.1:9")
		s.Until(c.name+" was checked", func() bool {
			// Of the agent: what a check said reaches the catalog minutes later, where it does not change its state.
			checks, err := s.Client().Agent().ChecksWithFilter("ServiceName == " + c.name)
			for _, check := range checks {
				return err == nil && check.Status == "passing" && check.Output != ""
			}
			return false
		})
		c.end()
		w.has()
		leave(t, l)
	}
}

// serveHealth runs a gRPC server that tells how "orders" is, and says where it is reached.
func serveHealth(t *testing.T, opts ...grpc.ServerOption) (string, *health.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gs, hs := grpc.NewServer(opts...), health.NewServer()
	healthpb.RegisterHealthServer(gs, hs)
	hs.SetServingStatus("orders", healthpb.HealthCheckResponse_SERVING)
	go gs.Serve(l)
	t.Cleanup(gs.Stop)
	return l.Addr().String(), hs
}

// TestRegisterWhileConsulIsAway checks that a server may start before Consul does, and that ctx ends the waiting.
func TestRegisterWhileConsulIsAway(t *testing.T) {
	s := consultest.Start(t, consultest.Config{})
	s.Stop()
	p := newPlane(t, Config{Address: s.Addr()})
	r := discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "127.0.0.1:8080"}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := p.Register(ctx, r); err == nil {
		t.Error("registered without an agent")
	}
	w := listen(t, p, "orders")
	w.fails("refused")
	got := make(chan discovery.Lease, 1)
	go func() {
		l, err := p.Register(t.Context(), r)
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	s.Start()
	w.has("127.0.0.1:8080")
	leave(t, <-got)
}
