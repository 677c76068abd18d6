package client

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// TestHosts is the table of what is a mesh call and under which name.
func TestHosts(t *testing.T) {
	h := newHosts(Config{
		Discovery: discovery.Static{"orders": nil, "Ledger": nil, "ports:9090": nil, "::1": nil},
		Hosts:     []string{"Users", "fq.example.", ".mesh.internal"},
	})
	const base = "" // not a mesh call
	for in, want := range map[string]string{
		"mesh://orders/":                 "orders",
		"mesh://ORDERS":                  "orders",
		"mesh://orders./x":               "orders",
		"mesh://orders:80/":              "orders",
		"mesh://orders:8080/":            "orders:8080",
		"mesh://user:pass@orders/":       "orders",
		"mesh://nobody/":                 "nobody",
		"mesh://[::1]/":                  "::1",
		"mesh://[::1]:8080/":             "[::1]:8080",
		"mesh://[2001:DB8::1]:8080/":     "[2001:db8::1]:8080",
		"http://orders/":                 "orders",
		"HTTP://orders/":                 "orders",
		"http://orders./":                "orders",
		"http://orders:80/":              "orders",
		"http://orders:443/":             "orders:443",
		"https://orders/":                "orders",
		"https://orders:443/":            "orders",
		"https://orders:80/":             "orders:80",
		"http://ledger/":                 "Ledger",
		"mesh://LEDGER/":                 "Ledger",
		"http://ledger:81/":              "ledger:81",
		"http://ports:9090/":             "ports:9090",
		"http://ports/":                  "ports",
		"http://users/":                  "users",
		"http://fq.example/":             "fq.example",
		"http://fq.example./":            "fq.example",
		"http://a.mesh.internal/":        "a.mesh.internal",
		"http://A.B.Mesh.Internal.:81/x": "a.b.mesh.internal:81",
		"http://[::1]/":                  "::1",
		"http://mesh.internal/":          base,
		"http://notmesh.internal/":       base,
		"http://orders.example/":         base,
		"http://xorders/":                base,
		"http://example.com/":            base,
		"https://example.com:8443/":      base,
		"ftp://orders/":                  base,
		"ws://orders/":                   base,
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got, mesh := h.service(u)
		if got != want || mesh != (want != base) {
			t.Errorf("%s: %q, %v, want %q", in, got, mesh, want)
		}
	}
}

// TestHostsWithoutDiscovery: every host is a destination of its own.
func TestHostsWithoutDiscovery(t *testing.T) {
	h := newHosts(Config{})
	for in, want := range map[string]string{
		"http://example.com/":       "example.com",
		"https://example.com:8443/": "example.com:8443",
		"mesh://orders/":            "orders",
		"ftp://example.com/":        "",
	} {
		u, _ := url.Parse(in)
		if got, _ := h.service(u); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestIdempotent holds RFC 9110 and the header.
func TestIdempotent(t *testing.T) {
	for method, want := range map[string]bool{
		"": true, "GET": true, "HEAD": true, "OPTIONS": true, "TRACE": true, "PUT": true, "DELETE": true,
		"POST": false, "PATCH": false, "CONNECT": false, "get": false,
	} {
		req := &http.Request{Method: method, Header: http.Header{}}
		if got := idempotent(req); got != want {
			t.Errorf("%q: %v", method, got)
		}
		for _, key := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
			req := &http.Request{Method: method, Header: http.Header{key: {"7"}}}
			if !idempotent(req) {
				t.Errorf("%q with %s is not idempotent", method, key)
			}
		}
	}
}
