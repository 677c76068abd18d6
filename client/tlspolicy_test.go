package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// secured says whether a request came over TLS.
func secured(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil {
		w.WriteHeader(http.StatusTeapot)
	}
}

func tlsOf(t *traffic.TLS) traffic.Policy {
	return traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: traffic.Settings{TLS: t}}}}
}

// A policy that changes between the addressing of an attempt and its sending decides about both: it is never sent in plain
// text over connections of a policy that wants TLS, nor the other way round.
func TestTLSChangesUnderAnAttempt(t *testing.T) {
	addr, ca, _ := secure(t, http.HandlerFunc(secured), true)
	plain := httptest.NewServer(http.HandlerFunc(secured))
	defer plain.Close()
	simple := &traffic.TLS{Mode: traffic.TLSSimple, CA: ca, ServerName: "example.com"}
	disable := &traffic.TLS{Mode: traffic.TLSDisable}
	for _, tt := range []struct {
		name     string
		addr     string
		from, to *traffic.TLS
		want     int
	}{
		{"to TLS", addr, disable, simple, 200}, {"from TLS", plain.Listener.Addr().String(), simple, disable, 418},
	} {
		t.Run(tt.name, func(t *testing.T) {
			live, err := traffic.NewLive(tlsOf(tt.from))
			if err != nil {
				t.Fatal(err)
			}
			var c *client.Client
			var once sync.Once
			c = newClient(t, client.Config{
				Traffic: live, Discovery: discovery.Static{"orders": {{Addr: tt.addr}}},
				WrapAttempt: func(next http.RoundTripper) http.RoundTripper {
					return roundTripFunc(func(r *http.Request) (*http.Response, error) {
						once.Do(func() {
							_, changed := c.Core().Policy()
							if err := live.Set(tlsOf(tt.to)); err != nil {
								t.Error(err)
							}
							<-changed
						})
						return next.RoundTrip(r)
					})
				},
			})
			rt := c.Transport(nil)
			defer closeIdle(rt)
			resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
			if text(t, resp, err); resp.StatusCode != tt.want {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.want)
			}
		})
	}
}

// The authorities of a policy are read for each connection: what is replaced on disk is taken.
func TestAuthoritiesAreReplaced(t *testing.T) {
	addr, ca, _ := secure(t, http.HandlerFunc(secured), true)
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: addr}}},
		Traffic:   tlsOf(&traffic.TLS{Mode: traffic.TLSSimple, CA: ca, ServerName: "example.com"}),
	})
	rt := c.Transport(nil)
	ask := func() error {
		defer closeIdle(rt) // so that the next one makes a connection
		resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	good, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		text string
		want string // a part of the error
	}{
		{string(another(t)), "unknown authority"}, {"half of a", "unknown authority"}, {string(good), ""},
	} {
		if err := os.WriteFile(ca, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := ask(); (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("got %v, want %q", err, step.want)
		}
	}
}

// another is an authority that nobody has a certificate of, as PEM.
func another(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(write(t, t.TempDir(), "other.pem", "CERTIFICATE", der))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNamesOfTheMesh: the policy can narrow who a mesh destination is.
func TestNamesOfTheMesh(t *testing.T) {
	shop := authority(t, "shop")
	addr := whoIs(t, identityOf(t, shop, "/orders"))
	for _, tt := range []struct {
		names []string
		want  string // a part of the error
	}{
		{nil, ""}, {[]string{"spiffe://shop/x", "spiffe://shop/orders"}, ""}, {[]string{"spiffe://shop/x"}, "none of those that the policy names"},
		{[]string{"orders.shop"}, "Names[0]"},
	} {
		c, err := client.New(client.Config{
			Discovery: discovery.Static{"orders": {{Addr: addr, ID: "spiffe://shop/orders"}}},
			Identity:  identityOf(t, shop, "/web"), Traffic: tlsOf(&traffic.TLS{Names: tt.names}),
		})
		if err == nil {
			rt := c.Transport(nil)
			var resp *http.Response
			if resp, err = rt.RoundTrip(request(t, "GET", "http://orders/", nil)); err == nil {
				resp.Body.Close()
			}
			closeIdle(rt)
			c.Close()
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.names, err, tt.want)
		}
	}
}

// Endpoints that are spoken to without the mesh's TLS need no identity.
func TestIdentityIsAskedOfTheMesh(t *testing.T) {
	shop := authority(t, "shop")
	addr, ca, _ := secure(t, http.HandlerFunc(secured), true)
	simple := tlsOf(&traffic.TLS{Mode: traffic.TLSSimple, CA: ca, ServerName: "example.com"})
	for _, tt := range []struct {
		name    string
		traffic traffic.Source
		orders  discovery.Endpoint
		want    string // a part of the error
	}{
		{"simple", simple, discovery.Endpoint{Addr: addr}, ""},
		{"mesh", tlsOf(&traffic.TLS{Mode: traffic.TLSMesh}), discovery.Endpoint{Addr: addr}, "neither its source nor"},
		{"no policy", nil, discovery.Endpoint{Addr: addr}, "neither its source nor"},
		{"a policy that is yet to come", make(updates), discovery.Endpoint{Addr: addr}, ""},
		{"a policy that is yet to come, and no ID", make(updates), discovery.Endpoint{Addr: addr, ID: "x"}, "not a SPIFFE ID"},
	} {
		c, err := client.New(client.Config{
			Discovery: discovery.Static{"orders": {tt.orders}}, Identity: identityOf(t, shop, "/web"), Traffic: tt.traffic,
		})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if err != nil {
			continue
		}
		if tt.name == "simple" {
			rt := c.Transport(nil)
			resp, err := rt.RoundTrip(request(t, "GET", "http://orders/", nil))
			if text(t, resp, err); resp.StatusCode != 200 {
				t.Errorf("status %d", resp.StatusCode)
			}
			closeIdle(rt)
		}
		c.Close()
	}
}

// What a policy says of endpoints and connections is not passed over in silence where they are the caller's own.
func TestSettingsOfOthersConnections(t *testing.T) {
	for field, s := range map[string]traffic.Settings{
		"TLS":         {TLS: &traffic.TLS{Mode: traffic.TLSSimple}},
		"Connections": {Connections: &traffic.Connections{MaxRequests: 1}},
		"Balance":     {Balance: &traffic.Balance{Choices: 3}},
		"Locality":    {Locality: &traffic.Locality{}},
	} {
		p := traffic.Policy{Destinations: []traffic.Destination{{Service: "orders", Settings: s}}}
		if _, err := client.New(client.Config{Traffic: p}); err == nil || !strings.Contains(err.Error(), "Destinations[0] (orders)."+field+": needs Config.Discovery") {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
