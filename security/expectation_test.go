package security_test

import (
	"strings"
	"testing"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/security"
)

func TestExpect(t *testing.T) {
	e := expect(t, "spiffe://shop/orders", "spiffe://partner", "spiffe://shop/orders")
	for id, want := range map[string]bool{
		"spiffe://shop/orders": true, "spiffe://shop/orders/x": false, "spiffe://shop": false, "spiffe://shop/web": false,
		"spiffe://partner": false, "spiffe://partner/x": true, "spiffe://partner.x/y": false,
	} {
		if got := e.Allows(spiffeid.RequireFromString(id)); got != want {
			t.Errorf("%s: %t", id, got)
		}
	}
	if e.Exact() || e.IsZero() || e.String() != "spiffe://partner,spiffe://shop/orders" {
		t.Errorf("%v", e)
	}
	if e := expect(t, "spiffe://shop/a", "spiffe://shop/b"); !e.Exact() {
		t.Errorf("%v is not exact", e)
	}
	var zero security.Expectation
	if zero.Allows(spiffeid.RequireFromString("spiffe://shop/a")) || zero.Allows(spiffeid.ID{}) || !zero.IsZero() || zero.Exact() {
		t.Error("the zero Expectation is met")
	}
}

func TestExpectErrors(t *testing.T) {
	for _, ids := range [][]string{
		nil, {""}, {"shop"}, {"https://shop/orders"}, {"spiffe://shop/"}, {"spiffe:///orders"}, {"spiffe://shop/a", "spiffe://shop/*"},
		{"spiffe://shop/" + strings.Repeat("x", 5000)},
	} {
		e, err := security.Expect(ids...)
		if err == nil || !e.IsZero() || !strings.HasPrefix(err.Error(), "security: expected identity: ") || len(err.Error()) > 300 {
			t.Errorf("%.100v: got %v, %v", ids, e, err)
		}
	}
}

// A source can narrow what the config says, and never widen it.
func TestNarrow(t *testing.T) {
	for _, c := range []struct{ config, source, want string }{
		{"spiffe://shop", "spiffe://shop/orders", "spiffe://shop/orders"},
		{"spiffe://shop/orders", "spiffe://shop", "spiffe://shop/orders"},
		{"spiffe://shop/orders", "spiffe://shop/payments", ""},
		{"spiffe://shop/orders", "spiffe://evil", ""},
		{"spiffe://shop", "spiffe://evil/orders", ""},
		{"spiffe://shop", "spiffe://shop", "spiffe://shop"},
		{"spiffe://shop/a,spiffe://shop/b", "spiffe://shop/b,spiffe://shop/c", "spiffe://shop/b"},
		{"spiffe://shop,spiffe://partner/x", "spiffe://shop/b,spiffe://partner", "spiffe://partner/x,spiffe://shop/b"},
	} {
		config, source := expect(t, strings.Split(c.config, ",")...), expect(t, strings.Split(c.source, ",")...)
		if got := config.Narrow(source); got.String() != c.want {
			t.Errorf("%v and %v: %v, want %s", config, source, got, c.want)
		}
		if got := source.Narrow(config); got.String() != c.want {
			t.Errorf("the other way: %v", got)
		}
	}
	e := expect(t, "spiffe://shop")
	if !e.Narrow(security.Expectation{}).IsZero() || !(security.Expectation{}).Narrow(e).IsZero() {
		t.Error("nothing became something")
	}
}

func FuzzExpect(f *testing.F) {
	for _, s := range []string{"spiffe://shop/orders", "spiffe://shop", "spiffe://", "spiffe://shop//", "spiffe://Shop/x", "spiffe://shop/%2e%2e/x", "SPIFFE://shop", "spiffe://shop/../x"} {
		f.Add(s, "spiffe://shop/x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, errX := security.Expect(a)
		y, errY := security.Expect(b)
		if errX != nil || errY != nil {
			return
		}
		if x.String() != a {
			t.Errorf("%q became %q", a, x)
		}
		both := x.Narrow(y)
		for _, s := range []string{a, b} {
			id, err := spiffeid.FromString(s)
			if err != nil {
				t.Fatalf("%q was taken: %v", s, err)
			}
			if got, want := both.Allows(id), x.Allows(id) && y.Allows(id); got != want {
				t.Errorf("%q and %q: %q allowed %t", a, b, s, got)
			}
		}
	})
}
