package security_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/intramesh/intramesh/internal/snapshot"
	"github.com/intramesh/intramesh/security"
)

// state is a connection that was made without any verification.
func state(certs ...*x509.Certificate) *tls.ConnectionState {
	return &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, PeerCertificates: certs}
}

// What was accepted is refused from the moment when the trust in it ends, on the same connection.
func TestVerifyFollowsTrust(t *testing.T) {
	w := newWorld(t)
	var orders snapshot.Value[security.Material]
	orders.Store(w.orders)
	conn := state(w.shop.workload("spiffe://shop/web").cert)
	for range 3 { // the first time it is worked out, then remembered
		if p, err := security.VerifyClient(&orders, conn); err != nil || p.String() != "spiffe://shop/web" {
			t.Fatal(p, err)
		}
	}
	again := *conn.PeerCertificates[0] // another connection with the same certificate
	if p, err := security.VerifyClient(&orders, state(&again)); err != nil || p.Certificate != conn.PeerCertificates[0] {
		t.Error("a certificate was verified again", p, err)
	}
	next := root(t)
	orders.Store(material(t, next.workload("spiffe://shop/orders"), bundle("shop", next)))
	_, err := security.VerifyClient(&orders, conn)
	refusedBy(t, err, security.UnknownAuthority)
}

func TestVerifyFollowsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		below := w.shop.intermediate(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(time.Minute) })
		web := below.workload("spiffe://shop/web")
		conn := state(web.cert, below.cert)
		p, err := security.VerifyClient(w.orders, conn)
		if err != nil || !p.NotAfter.Equal(below.cert.NotAfter) {
			t.Fatal(p, err)
		}
		time.Sleep(time.Minute)
		if _, err := security.VerifyClient(w.orders, conn); err != nil {
			t.Errorf("refused at its last moment: %v", err)
		}
		time.Sleep(1)
		_, err = security.VerifyClient(w.orders, conn)
		refusedBy(t, err, security.Expired)
		// The own end does not stop what is there.
		time.Sleep(time.Hour)
		late := w.shop.workload("spiffe://shop/late")
		if _, err := security.VerifyClient(w.orders, state(late.cert)); err != nil || !w.orders.Expired(time.Now()) {
			t.Error(err)
		}
	})
}

func TestVerifyRefuses(t *testing.T) {
	w := newWorld(t)
	web := w.shop.workload("spiffe://shop/web").cert
	var none snapshot.Value[security.Material]
	for name, c := range map[string]struct {
		id     security.Identity
		state  *tls.ConnectionState
		reason security.Reason
	}{
		"plain text":     {w.orders, nil, security.NotComplete},
		"handshake":      {w.orders, &tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{web}}, security.NotComplete},
		"old":            {w.orders, &tls.ConnectionState{Version: tls.VersionTLS12, HandshakeComplete: true, PeerCertificates: []*x509.Certificate{web}}, security.BadVersion},
		"no certificate": {w.orders, state(), security.NoCertificate},
		"unknown":        {w.orders, state(root(t).workload(mallory).cert), security.UnknownAuthority},
		"no identity":    {&none, state(web), security.NoIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := security.VerifyClient(c.id, c.state)
			refusedBy(t, err, c.reason)
			if p != nil {
				t.Error("a peer and an error")
			}
			_, err = security.VerifyServer(c.id, c.state, expect(t, "spiffe://shop"))
			refusedBy(t, err, c.reason)
		})
	}
	if p, err := security.VerifyServer(w.orders, state(web), expect(t, "spiffe://shop/web")); err != nil || p.String() != "spiffe://shop/web" {
		t.Error(p, err)
	}
	if p, err := security.VerifyServer(w.orders, state(web), expect(t, "spiffe://shop/orders")); p != nil || !errors.Is(err, security.ErrHandshakeRefused) {
		t.Error(p, err)
	}
	// Who was accepted as a client is not for that reason accepted as a server.
	half := w.shop.workload("spiffe://shop/half", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }).cert
	if _, err := security.VerifyClient(w.orders, state(half)); err != nil {
		t.Error(err)
	}
	_, err := security.VerifyServer(w.orders, state(half), expect(t, "spiffe://shop"))
	refusedBy(t, err, security.KeyUsage)
}

func TestPeerOfRefuses(t *testing.T) {
	_, err := security.PeerOf(tls.ConnectionState{})
	refusedBy(t, err, security.NoCertificate)
	_, err = security.PeerOf(*state(root(t).cert))
	refusedBy(t, err, security.NoSPIFFEID)
}

// However many peers come, the memory for them is bounded, and all are accepted.
func TestVerifyManyPeers(t *testing.T) {
	w := newWorld(t)
	web := w.shop.workload("spiffe://shop/web").cert
	for range 10_000 {
		same := *web
		if _, err := security.VerifyClient(w.orders, state(&same)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifyAllocatesNothing(t *testing.T) {
	w := newWorld(t)
	conn, e := state(w.shop.workload("spiffe://shop/web").cert), expect(t, "spiffe://shop/web")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := security.VerifyClient(w.orders, conn); err != nil {
			t.Fatal(err)
		}
		if _, err := security.VerifyServer(w.orders, conn, e); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a peer that is known", n)
	}
}

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	web := w.shop.workload("spiffe://shop/web").cert
	b.Run("known connection", func(b *testing.B) {
		conn := state(web)
		for b.Loop() {
			_, _ = security.VerifyClient(w.orders, conn)
		}
	})
	b.Run("known certificate", func(b *testing.B) {
		for b.Loop() {
			same := *web
			_, _ = security.VerifyClient(w.orders, state(&same))
		}
	})
	b.Run("stranger", func(b *testing.B) {
		b.StopTimer()
		for range b.N {
			m, err := security.NewMaterial(*w.orders.Certificate(), bundle("shop", w.shop))
			if err != nil {
				b.Fatal(err)
			}
			conn := state(web)
			b.StartTimer()
			_, _ = security.VerifyClient(m, conn)
			b.StopTimer()
		}
	})
	b.Run("handshake", func(b *testing.B) {
		client, server := security.ClientTLS(w.web, expect(b, "spiffe://shop"), nil), security.ServerTLS(w.orders, nil)
		for b.Loop() {
			connect(b, client, server)
		}
	})
}
