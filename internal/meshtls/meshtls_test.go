package meshtls

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/security/ca"
)

func TestExpect(t *testing.T) {
	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	defer authority.Close()
	id, err := authority.Identity("/web")
	if err != nil {
		t.Fatal(err)
	}
	const orders, shop, other = "spiffe://shop/orders", "spiffe://shop", "spiffe://other"
	for _, tt := range []struct {
		name, config, source string
		want                 string // what is expected, or a part of the error
	}{
		{"config", orders, "", orders},
		{"config, a trust domain", shop, "", shop},
		{"source", "", orders, orders},
		{"both agree", orders, orders, orders},
		{"the source narrows", shop, orders, orders},
		{"the source does not widen", orders, shop, orders},
		{"nobody", "", "", "neither its source nor Config.ServerID"},
		{"a trust domain by the source alone", "", shop, "which is a trust domain"},
		{"they contradict", orders, other + "/orders", "the source expects spiffe://other/orders, Config.ServerID spiffe://shop/orders"},
		{"config is no ID", "orders", "", `Config.ServerID("orders")`},
		{"source is no ID", "", "orders", `"orders" is not a SPIFFE ID`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var serverID func(string) string
			if tt.config != "" {
				serverID = func(string) string { return tt.config }
			}
			x, err := New(id, serverID, false, slog.New(slog.DiscardHandler)).Expect("orders", discovery.Endpoint{Addr: "a:1", ID: tt.source})
			switch {
			case err != nil && !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %v, want %q", err, tt.want)
			case err == nil && x.String() != tt.want:
				t.Errorf("got %s, want %s", x, tt.want)
			}
		})
	}
}

// TestNoIdentity: without one there is nothing to do, and no value to do it.
func TestNoIdentity(t *testing.T) {
	if c := New(nil, nil, false, nil); c != nil {
		t.Errorf("got %v", c)
	}
}
