package client_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/telemetry"
)

// authority is a CA and what it issues, for one test.
func authority(t *testing.T, domain string) *ca.CA {
	t.Helper()
	a, err := ca.New(ca.Config{TrustDomain: domain})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func identityOf(t *testing.T, a *ca.CA, id string) *ca.Identity {
	t.Helper()
	i, err := a.Identity(id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// whoIs serves with an identity and says who asks, over which protocol.
func whoIs(t *testing.T, id security.Identity) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := security.VerifyClient(id, r.TLS)
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, p.ID.String()+" "+r.Proto+" "+r.Host)
	}))
	srv.EnableHTTP2 = true
	srv.TLS = security.ServerTLS(id, nil)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

func TestIdentity(t *testing.T) {
	shop := authority(t, "shop")
	addr := whoIs(t, identityOf(t, shop, "/orders"))
	expect := func(id string) func(string) string { return func(string) string { return id } }
	tests := []struct {
		name     string
		serverID func(string) string
		source   string
		refused  security.Reason // empty: the call succeeds
	}{
		{name: "exact", serverID: expect("spiffe://shop/orders")},
		{name: "from the source", source: "spiffe://shop/orders"},
		{name: "trust domain, said explicitly", serverID: expect("spiffe://shop")},
		{name: "narrowed by the source", serverID: expect("spiffe://shop"), source: "spiffe://shop/orders"},
		{name: "not widened by the source", serverID: expect("spiffe://shop/other"), source: "spiffe://shop", refused: security.WrongIdentity},
		{name: "another identity", serverID: expect("spiffe://shop/payments"), refused: security.WrongIdentity},
		{name: "another trust domain", serverID: expect("spiffe://else"), refused: security.WrongIdentity},
	}
	for _, tt := range tests {
		for _, scheme := range []string{"mesh", "http", "https"} {
			t.Run(tt.name+"/"+scheme, func(t *testing.T) {
				c := newClient(t, client.Config{
					Discovery:  discovery.Static{"orders": {{Addr: addr, ID: tt.source}}},
					Resilience: resilience.Config{Default: resilience.Standard()},
					Identity:   identityOf(t, shop, "/web"),
					ServerID:   tt.serverID,
				})
				resp, err := (&http.Client{Transport: c.Transport(nil)}).Post(scheme+"://orders/", "text/plain", strings.NewReader("x"))
				if tt.refused != "" {
					var h *security.HandshakeError
					if !errors.As(err, &h) || h.Reason != tt.refused {
						t.Fatalf("got %v, want a handshake refused for %s", err, tt.refused)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				b, _ := io.ReadAll(resp.Body)
				if got, want := string(b), "spiffe://shop/web HTTP/2.0 orders"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestIdentityRefused shows the other side: the server does not accept the client, and a POST is not sent again.
func TestIdentityRefused(t *testing.T) {
	shop, other := authority(t, "shop"), authority(t, "other")
	addr := whoIs(t, identityOf(t, shop, "/orders"))
	if err := other.Federate(shop.Bundle()); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: addr, ID: "spiffe://shop/orders"}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
		Identity:   identityOf(t, other, "/web"),
	})
	_, err := (&http.Client{Transport: c.Transport(nil)}).Post("mesh://orders/", "text/plain", strings.NewReader("x"))
	var e *client.Error
	if !errors.As(err, &e) || e.Attempts != 1 {
		t.Fatalf("got %v, want a client.Error after one attempt", err)
	}
}

func TestIdentityConfig(t *testing.T) {
	id := identityOf(t, authority(t, "shop"), "/web")
	orders := discovery.Static{"orders": {{Addr: "127.0.0.1:1"}}}
	for name, tt := range map[string]struct {
		cfg  client.Config
		want string
	}{
		"nobody is expected":   {client.Config{Identity: id, Discovery: orders}, "endpoint 127.0.0.1:1 of orders"},
		"no discovery":         {client.Config{Identity: id}, "Config.Identity: needs Config.Discovery"},
		"server id alone":      {client.Config{Discovery: orders, ServerID: func(string) string { return "" }}, "Config.ServerID: needs Config.Identity"},
		"server id is no id":   {client.Config{Identity: id, Discovery: orders, ServerID: func(string) string { return "orders" }}, `"orders" is not a SPIFFE ID`},
		"domain by the source": {client.Config{Identity: id, Discovery: discovery.Static{"orders": {{Addr: "127.0.0.1:1", ID: "spiffe://shop"}}}}, "which is a trust domain"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.New(tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestPeerInMetrics: the identity that an endpoint proved is an attribute of the calls that it answered.
func TestPeerInMetrics(t *testing.T) {
	shop := authority(t, "shop")
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	defer func() { _ = provider.Shutdown(t.Context()) }()
	tel, err := telemetry.New(telemetry.Config{MeterProvider: provider})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: whoIs(t, identityOf(t, shop, "/orders")), ID: "spiffe://shop/orders"}}},
		Identity:  identityOf(t, shop, "/web"),
		Telemetry: tel,
	})
	resp, err := (&http.Client{Transport: c.Transport(nil)}).Get("mesh://orders/")
	text(t, resp, err)
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	for _, m := range rm.ScopeMetrics[0].Metrics {
		if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "http.client.request.duration" {
			if v, _ := h.DataPoints[0].Attributes.Value("intramesh.peer"); v.AsString() != "spiffe://shop/orders" {
				t.Errorf("attributes: %v", h.DataPoints[0].Attributes.ToSlice())
			}
			return
		}
	}
	t.Error("no duration was recorded")
}
