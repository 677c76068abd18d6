package stack

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
)

// fakeConn is a connection that notes what happens to it, and when.
type fakeConn struct {
	state *tls.ConnectionState
	until atomic.Pointer[time.Time] // when the chain ends, where that is not as in the certificate
	began time.Time
	mu    sync.Mutex
	notes []string
}

func (c *fakeConn) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes = append(c.notes, what+" "+time.Since(c.began).Round(time.Second).String())
}

func (c *fakeConn) Authenticate(id security.Identity) (*security.Peer, error) {
	p, err := security.VerifyClient(id, c.state)
	if at := c.until.Load(); at != nil && err == nil {
		if time.Now().After(*at) {
			return nil, &security.HandshakeError{Reason: security.Expired}
		}
		p = &security.Peer{ID: p.ID, Certificate: p.Certificate, NotAfter: *at}
	}
	return p, err
}
func (c *fakeConn) Retire() { c.note("retire") }
func (c *fakeConn) Cut()    { c.note("cut") }

func (c *fakeConn) want(t *testing.T, notes ...string) {
	t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.notes, notes) {
		t.Errorf("%q, want %q", c.notes, notes)
	}
}

// fakeHeld is a request on a fakeConn.
type fakeHeld struct {
	*fakeConn
	serve Serve
	errs  []error
}

func (h *fakeHeld) Judged() *Judgement { return &h.serve.Judged }
func (h *fakeHeld) Revoke(err error) {
	h.errs = append(h.errs, err)
	h.note("revoke")
}

// rounds is a server in a bubble.
type rounds struct {
	*Server
	t    *testing.T
	shop *pkitest.Signer
	id   *pkitest.Live
}

func underWarden(t *testing.T, f func(t *testing.T, r rounds)) {
	synctest.Test(t, func(t *testing.T) {
		shop, id := pkitest.Root(t), new(pkitest.Live)
		id.Set(shop.Workload([]string{"spiffe://shop/orders"}, until(100*time.Hour)).Material(shop))
		s := NewServer(ServerConfig{Logger: slog.New(slog.DiscardHandler), Identity: id})
		defer s.Close()
		f(t, rounds{s, t, shop, id})
	})
}

func until(d time.Duration) pkitest.Change {
	return func(c *x509.Certificate) { c.NotAfter = time.Now().Add(d) }
}

// conn is one from spiffe://shop/web.
func (r rounds) conn(changes ...pkitest.Change) *fakeConn {
	c := r.shop.Workload([]string{"spiffe://shop/web"}, changes...).TLS()
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		r.t.Fatal(err)
	}
	return &fakeConn{began: time.Now(), state: &tls.ConnectionState{
		Version: tls.VersionTLS13, HandshakeComplete: true, PeerCertificates: []*x509.Certificate{leaf},
	}}
}

func (r rounds) begin(changes ...pkitest.Change) *fakeHeld {
	h := &fakeHeld{fakeConn: r.conn(changes...)}
	h.serve = Serve{Served: call.Served{Ctx: r.t.Context(), Method: "GET"}, Path: "/a", Remote: h}
	if err := r.Begin(&h.serve); err != nil {
		r.t.Fatal(err)
	}
	return h
}

func (r rounds) running() bool {
	synctest.Wait()
	r.Warden.mu.Lock()
	defer r.Warden.mu.Unlock()
	return r.Warden.running
}

func TestConnectionsAreRetiredAndCut(t *testing.T) {
	underWarden(t, func(t *testing.T, r rounds) {
		long, short := r.conn(), r.conn(until(40*time.Second))
		r.Warden.Watch(long)
		r.Warden.Watch(short)
		time.Sleep(29 * time.Second)
		short.want(t)
		time.Sleep(2 * time.Second)
		short.want(t, "retire 30s")
		time.Sleep(10 * time.Second)
		short.want(t, "retire 30s", "cut 40s")
		time.Sleep(2 * time.Hour)
		long.want(t, "retire 45m0s", "cut 1h0m0s")
		if r.running() {
			t.Error("the goroutine runs although there is nothing to look after")
		}
	})
}

func TestConnectionsOfLostTrustAreCut(t *testing.T) {
	underWarden(t, func(t *testing.T, r rounds) {
		c, h := r.conn(), r.begin()
		r.Warden.Watch(c)
		r.Warden.Hold(h)
		next := pkitest.Root(t)
		both := next.Workload([]string{"spiffe://shop/orders"}).Material(next, r.shop)
		r.id.Set(both)
		c.want(t)
		r.id.Set(next.Workload([]string{"spiffe://shop/orders"}).Material(next))
		c.want(t, "cut 0s")
		h.want(t, "revoke 0s")
		if code := h.errs[0].(*call.Error).Code; code != call.Unauthenticated {
			t.Errorf("code %v", code)
		}
	})
}

// With other roots a chain may end sooner than it did.
func TestConnectionsOfShorterChains(t *testing.T) {
	underWarden(t, func(t *testing.T, r rounds) {
		c := r.conn()
		r.Warden.Watch(c)
		synctest.Wait()
		soon := time.Now().Add(10 * time.Second)
		c.until.Store(&soon)
		r.id.Set(r.shop.Workload([]string{"spiffe://shop/orders"}).Material(r.shop))
		c.want(t)
		time.Sleep(11 * time.Second)
		c.want(t, "cut 10s")
	})
}

func TestRequestsAreJudgedAgain(t *testing.T) {
	underWarden(t, func(t *testing.T, r rounds) {
		h, expires := r.begin(), r.begin(until(10*time.Second))
		r.Warden.Hold(h)
		r.Warden.Hold(expires)
		r.Guard.SetRules(security.AllowMethods("GET /a"))
		h.want(t)
		time.Sleep(11 * time.Second)
		expires.want(t, "revoke 10s")
		r.Guard.SetRules(security.AllowMethods("GET /b"))
		h.want(t, "revoke 11s")
		if e := h.errs[0].(*call.Error); e.Code != call.PermissionDenied || e.Rule != "allow methods GET /b" {
			t.Errorf("%v", e)
		}
		if r.running() {
			t.Error("the goroutine runs although there is nothing to look after")
		}
	})
}

// A change between the judgement of a request and the moment when it is known to last is not lost.
func TestRequestsThatMissedAChange(t *testing.T) {
	underWarden(t, func(t *testing.T, r rounds) {
		r.Warden.Watch(r.conn()) // so that the goroutine runs, and does not begin by looking at everything
		h := r.begin()
		r.Guard.SetRules(security.AllowMethods("GET /b"))
		synctest.Wait() // it has seen the change
		r.Warden.Hold(h)
		h.want(t, "revoke 0s")
	})
}

func TestWardenForgets(t *testing.T) {
	underWarden(t, func(t *testing.T, r rounds) {
		c, h := r.conn(), r.begin()
		r.Warden.Watch(c)
		r.Warden.Hold(h)
		if !r.running() {
			t.Error("nothing runs")
		}
		r.Warden.Forget(c)
		r.Warden.Release(h)
		if r.running() {
			t.Error("it still runs")
		}
		r.Warden.Watch(c) // again
		if !r.running() {
			t.Error("it does not run again")
		}
		_ = r.Close()
		r.Warden.Hold(h)
		if r.running() {
			t.Error("it runs after Close")
		}
		r.Guard.SetRules(security.AllowID())
		time.Sleep(24 * time.Hour)
		c.want(t)
		h.want(t)
	})
}

// Clients without an identity ask for what is public, and there is nothing to expire.
func TestStrangersAreNotWatched(t *testing.T) {
	underWarden(t, func(t *testing.T, r rounds) {
		c := &fakeConn{state: &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true}}
		r.Warden.Watch(c)
		if r.running() {
			t.Error("it is watched")
		}
		c.want(t)
	})
}
