package stack

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
)

// caller is a remote with a peer, or with none.
type caller struct{ peer *security.Peer }

func (c caller) Authenticate(security.Identity) (*security.Peer, error) {
	if c.peer == nil {
		return nil, &security.HandshakeError{Reason: security.NoCertificate}
	}
	return c.peer, nil
}

func peerOf(m *security.Material) *security.Peer {
	return &security.Peer{ID: m.ID(), Certificate: m.Certificate().Leaf, NotAfter: m.NotAfter()}
}

type pki struct {
	orders, web, partner *security.Material
}

func newPKI(t testing.TB) pki {
	shop, other := pkitest.Root(t), pkitest.Root(t)
	return pki{
		orders:  shop.Workload([]string{"spiffe://shop/orders"}).Material(shop),
		web:     shop.Workload([]string{"spiffe://shop/web"}).Material(shop),
		partner: other.Workload([]string{"spiffe://partner/web"}).Material(other),
	}
}

func TestAuthorize(t *testing.T) {
	p := newPKI(t)
	own := errors.New("not on a Sunday")
	var panics security.AuthorizerFunc = func(*security.Request) error { panic("boom") }
	var sunday security.AuthorizerFunc = func(*security.Request) error { return own }
	const ok = call.OK
	for _, tc := range []struct {
		name   string
		id     security.Identity
		rules  security.Authorizer
		public *security.Rule
		caller caller
		grpc   bool
		path   string
		want   call.Code
		rule   string
		peer   bool
	}{
		{name: "own domain, no rules", id: p.orders, caller: caller{peerOf(p.web)}, want: ok, peer: true},
		{name: "other domain, no rules", id: p.orders, caller: caller{peerOf(p.partner)}, want: call.PermissionDenied, rule: errOwnDomain.Rule},
		{name: "nobody, no rules", id: p.orders, want: call.Unauthenticated, rule: "no_certificate"},
		{name: "other domain, allowed", id: p.orders, rules: security.AllowID("spiffe://partner/web"), caller: caller{peerOf(p.partner)}, want: ok, peer: true},
		{name: "own domain, not allowed", id: p.orders, rules: security.AllowID("spiffe://shop/admin"), caller: caller{peerOf(p.web)},
			want: call.PermissionDenied, rule: "allow id spiffe://shop/admin"},
		{name: "nobody, public", id: p.orders, public: security.AllowMethods("GET /healthz"), path: "/healthz", want: ok},
		{name: "somebody, public", id: p.orders, public: security.AllowMethods("GET /healthz"), rules: security.AllowID(), caller: caller{peerOf(p.web)},
			path: "/healthz", want: ok, peer: true},
		{name: "nobody, not public", id: p.orders, public: security.AllowMethods("GET /healthz"), path: "/healthz/x", want: call.Unauthenticated, rule: "no_certificate"},
		{name: "rules alone", rules: security.AllowMethods("GET /a"), path: "/a", want: ok},
		{name: "rules alone deny", rules: security.AllowMethods("GET /a"), path: "/b", want: call.PermissionDenied, rule: "allow methods GET /a"},
		{name: "rules about peers without identity", rules: security.AllowID("spiffe://shop/web"), want: call.PermissionDenied, rule: "allow id spiffe://shop/web"},
		{name: "grpc", grpc: true, rules: security.AllowMethods("POST /shop.Orders/*"), path: "/shop.Orders/Get", want: ok},
		{name: "grpc denied", grpc: true, rules: security.AllowMethods("GET /shop.Orders/*"), path: "/shop.Orders/Get", want: call.PermissionDenied,
			rule: "allow methods GET /shop.Orders/*"},
		{name: "own authorizer", rules: sunday, want: call.PermissionDenied},
		{name: "panic", rules: panics, want: call.Internal, rule: "a panic of the Authorizer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := NewServer(ServerConfig{Logger: slog.New(slog.DiscardHandler), Identity: tc.id, Authorize: tc.rules, Public: tc.public})
			t.Cleanup(func() { _ = s.Close() })
			c := &Serve{Served: call.Served{Ctx: t.Context(), Method: "GET"}, Path: tc.path, Remote: tc.caller}
			if tc.grpc {
				c.Protocol, c.Method, c.Path = call.GRPC, tc.path, ""
			}
			err := s.Begin(c)
			if (c.Peer != "") != tc.peer || (c.Judged.Asks.Peer != nil) != tc.peer && err == nil {
				t.Errorf("peer %q, %v", c.Peer, c.Judged.Asks.Peer)
			}
			if tc.want == ok {
				if err != nil {
					t.Fatal(err)
				}
				s.End(c)
				return
			}
			e, is := errors.AsType[*call.Error](err)
			if !is || e.Code != tc.want || e.Rule != tc.rule || !c.Refused || c.Code != tc.want {
				t.Fatalf("got %v (code %v, rule %q), want %v by %q", err, e.Code, e.Rule, tc.want, tc.rule)
			}
			if tc.rule != "" && strings.Contains(e.Err.Error(), tc.rule) {
				t.Errorf("the caller is told %q", e.Err)
			}
			if tc.rules != nil && tc.name == "own authorizer" && !errors.Is(err, own) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

// Nothing to guard: no layer, and nobody to ask.
func TestNoGuard(t *testing.T) {
	s := NewServer(ServerConfig{Logger: slog.New(slog.DiscardHandler), Public: security.AllowMethods("/x")})
	if s.Guard != nil || s.Warden != nil || s.Guard.WantsHost() {
		t.Error("there is a guard")
	}
}

func TestAuthorizeAllocatesNothing(t *testing.T) {
	p := newPKI(t)
	s := NewServer(ServerConfig{
		Logger: slog.New(slog.DiscardHandler), Identity: p.orders,
		Authorize: security.Any(security.AllowID("spiffe://shop/web"), security.AllowMethods("/x/*")),
		Public:    security.AllowMethods("GET /healthz"),
	})
	defer s.Close()
	c := &Serve{Served: call.Served{Ctx: t.Context(), Method: "GET"}, Path: "/a"}
	c.Remote = &caller{peerOf(p.web)}
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Begin(c); err != nil {
			t.Fatal(err)
		}
		s.End(c)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whose rules may look at the Host: those that are not of package security.
func TestWantsHost(t *testing.T) {
	var theirs security.AuthorizerFunc = func(*security.Request) error { return nil }
	for _, tc := range []struct {
		a    security.Authorizer
		want bool
	}{
		{security.AllowID("spiffe://shop/web"), false},
		{security.Any(security.AllowID("spiffe://shop/web"), security.All(security.AllowMethods("/x"))), false},
		{theirs, true},
		{security.Any(security.AllowID("spiffe://shop/web"), security.All(theirs)), true},
	} {
		s := NewServer(ServerConfig{Logger: slog.New(slog.DiscardHandler), Authorize: tc.a})
		if s.Guard.WantsHost() != tc.want {
			t.Errorf("%v: %v", tc.a, !tc.want)
		}
		_ = s.Close()
	}
}

// A flood of refusals is a line a second for each kind, and the next one says how many had none.
func TestRefusalsAreLoggedSparsely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		p := newPKI(t)
		s := NewServer(ServerConfig{Logger: slog.New(slog.NewTextHandler(&log, nil)), Identity: p.orders, Authorize: security.AllowID("spiffe://shop/admin")})
		defer s.Close()
		ask := func(who caller) {
			c := &Serve{Served: call.Served{Ctx: t.Context(), Method: "GET"}, Path: "/" + strings.Repeat("x", 5000), Remote: who}
			if err := s.Begin(c); err == nil {
				t.Fatal("no error")
			}
		}
		for range 10 {
			ask(caller{peerOf(p.web)})
			ask(caller{})
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines:\n%s", n, &log)
		}
		if !strings.Contains(log.String(), `reason=denied rule="allow id spiffe://shop/admin" peer=spiffe://shop/web protocol=http method=GET path=/xxx`) {
			t.Errorf("log:\n%s", &log)
		}
		if log.Len() > 2000 {
			t.Errorf("a stranger wrote %d bytes into the log", log.Len())
		}
		log.Reset()
		time.Sleep(time.Second)
		ask(caller{})
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "unlogged=9") {
			t.Errorf("log:\n%s", &log)
		}
	})
}
