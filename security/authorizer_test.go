package security_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/security"
)

func from(id string) *security.Peer {
	if id == "" {
		return nil
	}
	return &security.Peer{ID: spiffeid.RequireFromString(id)}
}

const (
	web    = "spiffe://shop/web"
	orders = "spiffe://shop/orders"
	stock  = "spiffe://partner/stock"
)

func TestRules(t *testing.T) {
	refuse := security.AuthorizerFunc(func(*security.Request) error { return errors.New("not on Sundays") })
	for _, c := range []struct {
		rule         security.Authorizer
		id, method   string
		path         string
		allow        bool
		denialHolds  string
		notErrDenied bool
	}{
		{rule: security.AllowID(web, orders), id: web, allow: true},
		{rule: security.AllowID(web, orders), id: orders, allow: true},
		{rule: security.AllowID(web), id: orders, denialHolds: "allow id " + web},
		{rule: security.AllowID(web), id: web + "/x"},
		{rule: security.AllowID(web), id: ""},
		{rule: security.AllowID(), id: web, denialHolds: "allow id nothing"},
		{rule: security.AllowTrustDomain("shop"), id: web, allow: true},
		{rule: security.AllowTrustDomain("spiffe://partner", "other"), id: stock, allow: true},
		{rule: security.AllowTrustDomain("shop"), id: stock},
		{rule: security.AllowTrustDomain("shop"), id: ""},
		{rule: security.AllowTrustDomain(), id: web},
		{rule: security.All(security.AllowID(web), security.AllowMethods("/a")), id: web, path: "/a", allow: true},
		{rule: security.All(security.AllowID(web), security.AllowMethods("/a")), id: web, path: "/b", denialHolds: "allow methods /a"},
		{rule: security.All(security.AllowID(web), refuse), id: web, notErrDenied: true, denialHolds: "Sundays"},
		{rule: security.All(), id: web},
		{rule: security.Any(security.AllowID(orders), security.AllowTrustDomain("shop")), id: web, allow: true},
		{rule: security.Any(refuse, security.AllowID(web)), id: web, allow: true},
		{rule: security.Any(security.AllowID(orders), security.AllowID(stock)), id: web, denialHolds: "any of (allow id " + orders + "; allow id " + stock + ")"},
		{rule: security.Any(), id: web},
		{rule: (*security.Rule)(nil), id: web},
		{rule: security.AuthorizerFunc(nil), id: web},
	} {
		err := c.rule.Authorize(&security.Request{Peer: from(c.id), Method: c.method, Path: c.path})
		if (err == nil) != c.allow || err != nil && !c.notErrDenied && !errors.Is(err, security.ErrDenied) {
			t.Errorf("%v for %q %s %s: %v", c.rule, c.id, c.method, c.path, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.denialHolds) {
			t.Errorf("%v: %v, want %q in it", c.rule, err, c.denialHolds)
		}
	}
	var d *security.Denial
	if err := security.AllowID(web).Authorize(nil); !errors.As(err, &d) || d.Rule != "allow id "+web {
		t.Errorf("no request: %v", err)
	}
}

// A mistake is reported once by Check, and denies for ever, wherever it stands.
func TestBadRules(t *testing.T) {
	request := &security.Request{Peer: from(web), Method: "GET", Path: "/a"}
	good := security.AllowID(web)
	for name, c := range map[string]struct {
		rule security.Authorizer
		want string
	}{
		"no ID":             {security.AllowID(web, "web"), `AllowID: "web" is not a SPIFFE ID`},
		"pattern of an ID":  {security.AllowID("spiffe://shop/*"), "AllowID"},
		"domain as an ID":   {security.AllowID("spiffe://shop"), "a trust domain, not a member"},
		"empty ID":          {security.AllowID(""), "AllowID"},
		"ID as a domain":    {security.AllowTrustDomain(web), "a member of a trust domain"},
		"no domain":         {security.AllowTrustDomain("Shop!"), "not a trust domain"},
		"empty domain":      {security.AllowTrustDomain(""), "not a trust domain"},
		"long domain":       {security.AllowTrustDomain(strings.Repeat("x", 256)), "255"},
		"another scheme":    {security.AllowTrustDomain("https://shop"), "not a SPIFFE ID"},
		"no pattern":        {security.AllowMethods("a"), `AllowMethods: "a": a path begins with a slash`},
		"in all":            {security.All(good, security.AllowID("x")), "AllowID"},
		"in any":            {security.Any(good, security.AllowID("x")), "AllowID"},
		"deep":              {security.Any(good, security.All(good, security.Any(security.AllowMethods("")))), "AllowMethods"},
		"nil in any":        {security.Any(good, nil), "nil"},
		"nil rule":          {security.All(good, (*security.Rule)(nil)), "a rule is nil"},
		"nil function":      {security.Any(good, security.AuthorizerFunc(nil)), "AuthorizerFunc is nil"},
		"nil":               {nil, "nil"},
		"two errors of two": {security.AllowID("x", "y"), `"y" is not`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := security.Check(c.rule); err == nil || !strings.HasPrefix(err.Error(), "security: authorize: ") || !strings.Contains(err.Error(), c.want) ||
				strings.Count(err.Error(), "security:") != 1 {
				t.Errorf("Check: %v, want %q", err, c.want)
			}
			if c.rule == nil {
				return
			}
			if err := c.rule.Authorize(request); !errors.Is(err, security.ErrDenied) {
				t.Errorf("Authorize: %v", err)
			}
		})
	}
	for _, a := range []security.Authorizer{good, security.AllowID(), security.Any(good), security.AuthorizerFunc(func(*security.Request) error { return nil })} {
		if err := security.Check(a); err != nil {
			t.Error(err)
		}
	}
}

func TestOpaque(t *testing.T) {
	own := security.All(security.AllowID(web), security.Any(security.AllowMethods("/a")))
	foreign := security.AuthorizerFunc(func(*security.Request) error { return nil })
	if own.Opaque() || (*security.Rule)(nil).Opaque() || !security.Any(own, security.All(foreign)).Opaque() {
		t.Error("what rules look at is not known")
	}
}

// A rule keeps what it was made of.
func TestRulesAreImmutable(t *testing.T) {
	list := []security.Authorizer{security.AllowID(orders)}
	all, anyOf := security.All(list...), security.Any(list...)
	list[0] = security.AllowID(web)
	for _, rule := range []*security.Rule{all, anyOf} {
		if rule.Authorize(&security.Request{Peer: from(web)}) == nil {
			t.Errorf("%v became another rule", rule)
		}
	}
}

func TestAllowAllocatesNothing(t *testing.T) {
	rule := security.Any(
		security.AllowID(stock),
		security.All(security.AllowTrustDomain("shop"), security.AllowMethods("/x", "/shop.Orders/*", "GET /items")),
	)
	allowed := &security.Request{Peer: from(web), Method: "POST", Path: "/shop.Orders/Place", Protocol: security.GRPC}
	denied := &security.Request{Peer: from(web), Method: "POST", Path: "/items", Protocol: security.HTTP}
	if n := testing.AllocsPerRun(100, func() {
		if rule.Authorize(allowed) != nil || rule.Authorize(denied) == nil {
			t.Fatal("decided wrongly")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAuthorize(b *testing.B) {
	rule := security.All(security.AllowID(orders, web), security.AllowMethods("/shop.Orders/Place", "/shop.Stock/*"))
	r := &security.Request{Peer: from(web), Method: "POST", Path: "/shop.Orders/Place"}
	b.ReportAllocs()
	for b.Loop() {
		if err := rule.Authorize(r); err != nil {
			b.Fatal(err)
		}
	}
}
