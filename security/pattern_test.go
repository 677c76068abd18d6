package security_test

import (
	"path"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/security"
)

func TestAllowMethods(t *testing.T) {
	for _, c := range []struct {
		pattern string
		allows  []string
		denies  []string
	}{
		{"/shop.Orders/Place",
			[]string{"POST /shop.Orders/Place"},
			[]string{"POST /shop.Orders/Cancel", "POST /shop.Orders/place", "POST /shop.Orders/Place/", "POST /shop.Orders/PlaceX", "POST shop.Orders/Place"}},
		{"/shop.Orders/*",
			[]string{"POST /shop.Orders/Place", "POST /shop.Orders/"},
			[]string{"POST /shop.OrdersX/Place", "POST /shop.Orders"}},
		{"GET /items",
			[]string{"GET /items"},
			[]string{"HEAD /items", "get /items", "POST /items", "GET /items/1", "GET //items"}},
		{"GET /items/*",
			[]string{"GET /items/1", "GET /items/a/b", "GET /items/..x", "GET /items/.well"},
			[]string{"GET /items", "GET /items/../admin", "GET /items/..", "GET /items/./1", "GET /items/.", "GET /items//x", `GET /items/..\admin`, "POST /items/1"}},
		{"/it*", []string{"GET /items", "PUT /it"}, []string{"GET /i", "GET /x/../it"}},
		{"/*", []string{"GET /", "POST /a/b"}, []string{"GET ", "GET *", "GET /.."}},
		{"M-SEARCH /", []string{"M-SEARCH /"}, []string{"GET /"}},
	} {
		rule := security.AllowMethods(c.pattern)
		for want, list := range map[bool][]string{true: c.allows, false: c.denies} {
			for _, s := range list {
				method, p, _ := strings.Cut(s, " ")
				if got := rule.Authorize(&security.Request{Method: method, Path: p}) == nil; got != want {
					t.Errorf("%q and %q: %t", c.pattern, s, got)
				}
			}
		}
	}
	// Several patterns, two of them for the same path.
	rule := security.AllowMethods("GET /a", "PUT /a", "GET /b/*", "POST /b/*")
	for s, want := range map[string]bool{"GET /a": true, "PUT /a": true, "DELETE /a": false, "POST /b/1": true, "PUT /b/1": false} {
		method, p, _ := strings.Cut(s, " ")
		if got := rule.Authorize(&security.Request{Method: method, Path: p}) == nil; got != want {
			t.Errorf("%q: %t", s, got)
		}
	}
	if security.AllowMethods().Authorize(&security.Request{Method: "GET", Path: "/"}) == nil {
		t.Error("no pattern allows something")
	}
}

func TestBadPatterns(t *testing.T) {
	for _, s := range []string{
		"", "*", "items", "GET", "GET ", "GET items", "get /items", "GET  /items", " /items", "GET /items ", "/a b", "/a*b", "/a**", "/a?b=c", "/a#b",
		"/a//b", "/a/../b", "/a/./b", "/a/..", `/a\b`, "/a\tb", "/a\x00", "https://host/a", "G*T /a", "GET,PUT /a",
	} {
		rule := security.AllowMethods(s, "/fine")
		if err := security.Check(rule); err == nil || !strings.Contains(err.Error(), "AllowMethods") {
			t.Errorf("%q: %v", s, err)
		}
		if rule.Authorize(&security.Request{Method: "GET", Path: "/fine"}) == nil {
			t.Errorf("%q: the rule allows", s)
		}
	}
}

// A pattern that is taken never lets a path pass that a router would clean into another.
func FuzzAllowMethods(f *testing.F) {
	for _, s := range []string{"/shop.Orders/*", "GET /items", "GET /items/*", "/", "*", "GET  /", "/a/../*", "PUT /.*"} {
		f.Add(s, "GET", "/items/../admin")
		f.Add(s, "GET", "/items/1")
	}
	f.Fuzz(func(t *testing.T, pattern, method, p string) {
		rule := security.AllowMethods(pattern)
		err := security.Check(rule)
		allowed := rule.Authorize(&security.Request{Method: method, Path: p}) == nil
		if err != nil && allowed {
			t.Errorf("%q is bad and allows %q", pattern, p)
		}
		if !allowed {
			return
		}
		if clean := path.Clean(p); clean != p && clean+"/" != p {
			t.Errorf("%q allows %q, which means %q", pattern, p, clean)
		}
		if prefix, _, _ := strings.Cut(strings.TrimPrefix(pattern, method+" "), "*"); !strings.HasPrefix(p, prefix) {
			t.Errorf("%q allows %q", pattern, p)
		}
	})
}
