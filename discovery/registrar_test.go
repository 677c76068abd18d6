package discovery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intramesh/intramesh/discovery"
)

func TestRegistrationValidate(t *testing.T) {
	good := func() discovery.Registration {
		return discovery.Registration{Service: "orders", Endpoint: discovery.Endpoint{Addr: "10.0.0.1:8080"}}
	}
	for _, c := range []struct {
		name   string
		change func(*discovery.Registration)
		want   string // empty: valid
	}{
		{"least", func(*discovery.Registration) {}, ""},
		{"no service", func(r *discovery.Registration) { r.Service = "" }, "name of a service is empty"},
		{"no address", func(r *discovery.Registration) { r.Endpoint.Addr = "" }, "Endpoint: addr is empty"},
		{"identity", func(r *discovery.Registration) { r.Endpoint.ID = "orders" }, "want a SPIFFE ID"},
		{"http", func(r *discovery.Registration) { r.Checks = []discovery.Check{{HTTP: "http://10.0.0.1/health"}} }, ""},
		{"grpc", func(r *discovery.Registration) { r.Checks = []discovery.Check{{GRPC: "10.0.0.1:8080/orders"}} }, ""},
		{"ttl", func(r *discovery.Registration) { r.Checks = []discovery.Check{{TTL: time.Second}} }, ""},
		{"tcp", func(r *discovery.Registration) { r.Checks = []discovery.Check{{TCP: "10.0.0.1:8080"}} }, ""},
		{"no kind", func(r *discovery.Registration) { r.Checks = []discovery.Check{{}} }, "Checks[0]: 0 of HTTP"},
		{"two kinds", func(r *discovery.Registration) {
			r.Checks = []discovery.Check{{TTL: 1}, {TTL: 1, TCP: "10.0.0.1:1"}}
		}, "Checks[1]: 2 of HTTP"},
		{"not a URL", func(r *discovery.Registration) { r.Checks = []discovery.Check{{HTTP: "10.0.0.1/health"}} }, "want an http"},
		{"tcp without port", func(r *discovery.Registration) { r.Checks = []discovery.Check{{TCP: "10.0.0.1"}} }, "addr"},
		{"tcp at a socket", func(r *discovery.Registration) { r.Checks = []discovery.Check{{TCP: "unix:/x"}} }, `want "host:port"`},
		{"grpc without port", func(r *discovery.Registration) {
			r.Checks = []discovery.Check{{GRPC: "orders/orders"}}
		}, `Checks[0]: GRPC "orders/orders": addr "orders"`},
		{"ttl with a timeout", func(r *discovery.Registration) {
			r.Checks = []discovery.Check{{TTL: time.Minute, Timeout: time.Second}}
		}, "TTL takes no Interval"},
		{"ttl over TLS", func(r *discovery.Registration) { r.Checks = []discovery.Check{{TTL: time.Minute, TLS: true}} }, "TLS is for GRPC and TCP"},
		{"plain http over TLS", func(r *discovery.Registration) { r.Checks = []discovery.Check{{HTTP: "http://x", TLS: true}} }, "https://"},
		{"plain grpc, unverified", func(r *discovery.Registration) {
			r.Checks = []discovery.Check{{GRPC: "x:1", TLSSkipVerify: true}}
		}, "not over TLS"},
		{"https, unverified", func(r *discovery.Registration) {
			r.Checks = []discovery.Check{{HTTP: "https://x", TLSSkipVerify: true, TLSServerName: "y"}}
		}, ""},
		{"tcp over TLS", func(r *discovery.Registration) {
			r.Checks = []discovery.Check{{TCP: "x:1", TLS: true, TLSServerName: "y"}}
		}, ""},
		{"negative", func(r *discovery.Registration) { r.Checks = []discovery.Check{{TTL: -1}} }, "negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.change(&r)
			err := r.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Validate returned %v, want %q", err, c.want)
			}
		})
	}
}

func ExampleDifference() {
	old := []discovery.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "10.0.0.2:80"}, {Addr: "10.0.0.3:80"}, {Addr: "10.0.0.4:80"}}
	next := []discovery.Endpoint{{Addr: "10.0.0.1:80"}, {Addr: "10.0.0.2:80", Weight: 2}, {Addr: "10.0.0.4:80"}, {Addr: "10.0.0.3:80"}}
	u, changed := discovery.Difference(old, next)
	fmt.Println(u.Kind, u.Endpoints[0].Addr, u.Removed, changed)
	// Output:
	// diff 10.0.0.2:80 [] true
}

// TestDifferenceLeadsToNext checks that who applies the news has what the source has.
func TestDifferenceLeadsToNext(t *testing.T) {
	a, b, c := discovery.Endpoint{Addr: "a:1"}, discovery.Endpoint{Addr: "b:1"}, discovery.Endpoint{Addr: "c:1"}
	heavy := discovery.Endpoint{Addr: "a:1", Weight: 9}
	sets := [][]discovery.Endpoint{nil, {a}, {a, b}, {a, b, c}, {heavy, b, c}, {b}}
	for _, old := range sets {
		for _, next := range sets {
			u, changed := discovery.Difference(old, next)
			got := old
			if changed {
				got = u.Apply(old)
			}
			byAddr := cmpopts.SortSlices(func(a, b discovery.Endpoint) bool { return a.Addr < b.Addr })
			if !cmp.Equal(got, next, byAddr, cmpopts.EquateEmpty()) {
				t.Errorf("from %v to %v: %v leads to %v", old, next, u, got)
			}
		}
	}
}
