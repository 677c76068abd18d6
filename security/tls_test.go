package security_test

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/snapshot"
	"github.com/intramesh/intramesh/security"
)

var criticalExtension = pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}

func TestHandshake(t *testing.T) {
	w := newWorld(t)
	var h heard
	c, s := connect(t, security.ClientTLS(w.web, expect(t, "spiffe://shop/orders"), h.hear), security.ServerTLS(w.orders, h.hear))
	if c.err != nil || s.err != nil || len(h.all) > 0 {
		t.Fatalf("client: %v, server: %v, refused: %v", c.err, s.err, h.all)
	}
	for _, x := range []struct {
		seen end
		id   string
	}{{c, "spiffe://shop/orders"}, {s, "spiffe://shop/web"}} {
		p, err := security.PeerOf(x.seen.state)
		if err != nil || p.String() != x.id || p.TrustDomain().Name() != "shop" || p.Certificate == nil {
			t.Errorf("got peer %v, %v, want %s", p, err, x.id)
		}
		if x.seen.state.Version != tls.VersionTLS13 {
			t.Errorf("speaks %x", x.seen.state.Version)
		}
	}
}

// Intermediates and federated trust domains are accepted.
func TestHandshakeAcrossTrustDomains(t *testing.T) {
	shop, partner := root(t), root(t)
	a := material(t, shop.intermediate().intermediate().workload("spiffe://shop/web"), bundle("shop", shop), bundle("partner", partner))
	b := material(t, partner.workload("spiffe://partner/stock"), bundle("partner", partner), bundle("shop", shop))
	c, s := connect(t, security.ClientTLS(a, expect(t, "spiffe://partner/stock"), nil), security.ServerTLS(b, nil))
	if c.err != nil || s.err != nil {
		t.Fatalf("client: %v, server: %v", c.err, s.err)
	}
}

func TestWrongIdentity(t *testing.T) {
	w := newWorld(t)
	for _, x := range []security.Expectation{expect(t, "spiffe://shop/payments"), expect(t, "spiffe://partner"), {}} {
		var h heard
		c, s := connect(t, security.ClientTLS(w.web, x, h.hear), security.ServerTLS(w.orders, nil))
		if e := refusedBy(t, c.err, security.WrongIdentity); e.PeerID != "spiffe://shop/orders" {
			t.Errorf("PeerID is %q", e.PeerID)
		}
		h.once(t, security.WrongIdentity)
		refusedThere(t, s.err)
		if r := security.Refusal(s.err); !errors.Is(r, security.ErrHandshakeRefused) {
			t.Errorf("the server got %v", s.err)
		}
	}
}

func TestOldVersions(t *testing.T) {
	w := newWorld(t)
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*w.web.Certificate()}}
	var h heard
	c, s := connect(t, old, security.ServerTLS(w.orders, h.hear))
	h.once(t, security.BadVersion)
	refusedBy(t, security.Refusal(c.err), security.ByPeer)
	if s.err == nil {
		t.Error("the server accepted TLS 1.2")
	}
	c, s = connect(t, security.ClientTLS(w.web, expect(t, "spiffe://shop"), nil), old)
	if c.err == nil || s.err == nil {
		t.Errorf("the client accepted TLS 1.2: %v, %v", c.err, s.err)
	}
}

// A client that is refused learns of it by an alert, when it reads.
func TestRefusal(t *testing.T) {
	w := newWorld(t)
	c, _ := connect(t, &tls.Config{InsecureSkipVerify: true}, security.ServerTLS(w.orders, nil))
	r := security.Refusal(c.err)
	refusedBy(t, r, security.ByPeer)
	if again := security.Refusal(r); again != r {
		t.Errorf("asked again it is %v", again)
	}
	for _, err := range []error{
		nil, io.EOF, net.ErrClosed, errors.New("remote error: tls: bad certificate"), tls.AlertError(42),
		&net.OpError{Op: "remote error"}, &net.OpError{Op: "remote error", Err: tls.AlertError(90)},
		&net.OpError{Op: "local error", Err: tls.AlertError(42)}, &net.OpError{Op: "read", Err: io.EOF},
	} {
		if got := security.Refusal(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// Sessions are not resumed, even by clients that would like to.
func TestNoResumption(t *testing.T) {
	w := newWorld(t)
	eager := security.ClientTLS(w.web, expect(t, "spiffe://shop"), nil)
	eager.SessionTicketsDisabled, eager.ClientSessionCache = false, tls.NewLRUClientSessionCache(9)
	generous := security.ServerTLS(w.orders, nil)
	generous.SessionTicketsDisabled = false
	for name, pair := range map[string][2]*tls.Config{
		"server": {eager, security.ServerTLS(w.orders, nil)},
		"client": {security.ClientTLS(w.web, expect(t, "spiffe://shop"), nil), generous},
	} {
		for range 3 {
			c, s := connect(t, pair[0], pair[1])
			if c.err != nil || s.err != nil || c.state.DidResume || s.state.DidResume {
				t.Errorf("%s: %v, %v, resumed %t, %t", name, c.err, s.err, c.state.DidResume, s.state.DidResume)
			}
		}
	}
	// Where both were tampered with, VerifyConnection still sees it.
	connect(t, eager, generous)
	if c, _ := connect(t, eager, generous); c.err == nil {
		t.Error("a resumed session passed")
	}
}

// With the own identity unknown or expired, nothing is accepted and nothing shown.
func TestOwnIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var none snapshot.Value[security.Material]
		check := func(id security.Identity, want security.Reason) {
			t.Helper()
			var h heard
			c, s := connect(t, security.ClientTLS(w.web, expect(t, "spiffe://shop"), nil), security.ServerTLS(id, h.hear))
			refusedBy(t, s.err, want)
			h.once(t, want)
			refusedBy(t, security.Refusal(c.err), security.ByPeer)
			c, s = connect(t, security.ClientTLS(id, expect(t, "spiffe://shop"), nil), security.ServerTLS(w.orders, nil))
			refusedBy(t, c.err, want)
			refusedThere(t, s.err)
		}
		check(&none, security.NoIdentity)
		brief := w.shop.workload("spiffe://shop/brief")
		m := material(t, brief, bundle("shop", w.shop))
		time.Sleep(30 * time.Minute)
		w.web = material(t, w.shop.workload("spiffe://shop/web"), bundle("shop", w.shop))
		w.orders = material(t, w.shop.workload("spiffe://shop/orders"), bundle("shop", w.shop))
		if c, s := connect(t, security.ClientTLS(m, expect(t, "spiffe://shop"), nil), security.ServerTLS(w.orders, nil)); c.err != nil || s.err != nil {
			t.Fatalf("%v, %v", c.err, s.err)
		}
		time.Sleep(time.Until(m.NotAfter()))
		if m.Expired(time.Now()) {
			t.Error("expired at its last moment")
		}
		time.Sleep(1)
		check(m, security.OwnExpired)
	})
}
