package security_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/security"
)

const mallory = "spiffe://shop/mallory"

// attack is a peer that must be refused, whichever side it is on.
type attack struct {
	show   func(t *testing.T, shop *signer) *signer // nil: nothing
	reason security.Reason
	id     string // what PeerID says
}

func change(f func(c *x509.Certificate)) func(t *testing.T, shop *signer) *signer {
	return func(_ *testing.T, shop *signer) *signer { return shop.workload(mallory, f) }
}

var attacks = map[string]attack{
	"no certificate": {nil, security.NoCertificate, ""},
	"expired": {change(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
		security.Expired, mallory},
	"not yet valid": {change(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }),
		security.NotYetValid, mallory},
	"other trust domain": {func(t *testing.T, _ *signer) *signer { return root(t).workload("spiffe://evil/mallory") },
		security.UnknownTrustDomain, "spiffe://evil/mallory"},
	"other trust domain, signed by ours": {func(_ *testing.T, shop *signer) *signer { return shop.workload("spiffe://evil/mallory") },
		security.UnknownTrustDomain, "spiffe://evil/mallory"},
	"federated trust domain, signed by ours": {func(_ *testing.T, shop *signer) *signer { return shop.workload("spiffe://partner/mallory") },
		security.UnknownAuthority, "spiffe://partner/mallory"},
	"our trust domain, signed by another authority": {func(t *testing.T, _ *signer) *signer { return root(t).workload(mallory) },
		security.UnknownAuthority, mallory},
	"no URI": {change(func(c *x509.Certificate) { c.URIs, c.DNSNames = nil, []string{"mallory.shop"} }),
		security.NoSPIFFEID, ""},
	"a URI of another kind": {func(_ *testing.T, shop *signer) *signer { return shop.workload("https://shop/mallory") },
		security.NoSPIFFEID, ""},
	"the ID of the trust domain": {func(_ *testing.T, shop *signer) *signer { return shop.workload("spiffe://shop") },
		security.NoSPIFFEID, ""},
	"an ID with dots": {func(_ *testing.T, shop *signer) *signer { return shop.workload("spiffe://shop/x/../web") },
		security.NoSPIFFEID, ""},
	"an ID with a query": {func(_ *testing.T, shop *signer) *signer { return shop.workload("spiffe://shop/web?a=b") },
		security.NoSPIFFEID, ""},
	"an ID without end": {func(_ *testing.T, shop *signer) *signer {
		return shop.workload("spiffe://shop/" + strings.Repeat("x", 2048))
	}, security.NoSPIFFEID, ""},
	"two URIs": {func(t *testing.T, shop *signer) *signer {
		return shop.signs(template(t, "spiffe://shop/web", mallory))
	}, security.ManyURIs, ""},
	"self-signed": {func(t *testing.T, _ *signer) *signer { return selfSigned(t, template(t, mallory)) },
		security.UnknownAuthority, mallory},
	"a leaf that is an authority": {change(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }),
		security.IsAuthority, mallory},
	"a leaf that may sign certificates": {func(_ *testing.T, shop *signer) *signer {
		return shop.workload(mallory, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign })
	}, security.IsAuthority, mallory},
	"a leaf used as an authority": {func(_ *testing.T, shop *signer) *signer {
		web := shop.intermediate(func(c *x509.Certificate) { // looks like one to signs; the next line makes it a leaf
			c.IsCA, c.KeyUsage, c.MaxPathLen = false, x509.KeyUsageDigitalSignature, -1
		})
		return web.workload(mallory)
	}, security.NotAnAuthority, mallory},
	"an authority below one that may have none": {func(_ *testing.T, shop *signer) *signer {
		last := shop.intermediate(func(c *x509.Certificate) { c.MaxPathLenZero = true })
		return last.intermediate().workload(mallory)
	}, security.BadChain, mallory},
	"an expired authority": {func(_ *testing.T, shop *signer) *signer {
		return shop.intermediate(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }).workload(mallory)
	}, security.Expired, mallory},
	"an authority of tomorrow": {func(_ *testing.T, shop *signer) *signer {
		return shop.intermediate(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }).workload(mallory)
	}, security.NotYetValid, mallory},
	"an authority for other names": {func(_ *testing.T, shop *signer) *signer {
		return shop.intermediate(func(c *x509.Certificate) {
			c.PermittedURIDomains, c.PermittedDNSDomainsCritical = []string{"other.example"}, true
		}).workload(mallory)
	}, security.Constrained, mallory},
	"an authority to which the domain is forbidden": {func(_ *testing.T, shop *signer) *signer {
		return shop.intermediate(func(c *x509.Certificate) {
			c.ExcludedURIDomains, c.PermittedDNSDomainsCritical = []string{"shop"}, true
		}).workload(mallory)
	}, security.Constrained, mallory},
	"an authority for e-mail": {func(_ *testing.T, shop *signer) *signer {
		return shop.intermediate(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }).workload(mallory)
	}, security.KeyUsage, mallory},
	"a missing intermediate": {func(_ *testing.T, shop *signer) *signer {
		m := shop.intermediate().workload(mallory)
		m.above = nil
		return m
	}, security.UnknownAuthority, mallory},
	"a key that may not sign": {change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
		security.KeyUsage, mallory},
	"no key usage": {change(func(c *x509.Certificate) { c.KeyUsage = 0 }), security.KeyUsage, mallory},
	"for e-mail": {change(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }),
		security.KeyUsage, mallory},
	"an extension that must be understood": {change(func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, criticalExtension)
	}), security.BadChain, mallory},
}

// world is a trust domain with two members that trust a partner as well.
type world struct {
	shop        *signer
	web, orders *security.Material
}

func newWorld(t testing.TB) *world {
	shop, partner := root(t), root(t)
	trust := bundle("shop", shop)
	return &world{
		shop:   shop,
		web:    material(t, shop.workload("spiffe://shop/web"), trust, bundle("partner", partner)),
		orders: material(t, shop.workload("spiffe://shop/orders"), trust, bundle("partner", partner)),
	}
}

// evil is a config without any scruples.
func evil(t *testing.T, a attack, w *world) *tls.Config {
	cfg := &tls.Config{InsecureSkipVerify: true}
	if a.show != nil {
		cfg.Certificates = []tls.Certificate{a.show(t, w.shop).tls()}
	}
	return cfg
}

func TestServerRefuses(t *testing.T) {
	w := newWorld(t)
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			var h heard
			c, s := connect(t, evil(t, a, w), security.ServerTLS(w.orders, h.hear))
			if e := refusedBy(t, s.err, a.reason); e.PeerID != a.id {
				t.Errorf("PeerID is %q, want %q", e.PeerID, a.id)
			}
			h.once(t, a.reason)
			refusedThere(t, c.err)
		})
	}
}

func TestClientRefuses(t *testing.T) {
	w := newWorld(t)
	for name, a := range attacks {
		if a.show == nil {
			continue // a server without a certificate has no TLS
		}
		t.Run(name, func(t *testing.T) {
			var h heard
			c, s := connect(t, security.ClientTLS(w.web, expect(t, "spiffe://shop", "spiffe://partner", "spiffe://evil"), h.hear), evil(t, a, w))
			if e := refusedBy(t, c.err, a.reason); e.PeerID != a.id {
				t.Errorf("PeerID is %q, want %q", e.PeerID, a.id)
			}
			h.once(t, a.reason)
			refusedThere(t, s.err)
		})
	}
}

// A certificate for one side of TLS only is refused on the other.
func TestUseOfTheOtherSide(t *testing.T) {
	w := newWorld(t)
	only := func(use x509.ExtKeyUsage) *tls.Config {
		c := w.shop.workload(mallory, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{use} })
		return &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{c.tls()}}
	}
	_, s := connect(t, only(x509.ExtKeyUsageServerAuth), security.ServerTLS(w.orders, nil))
	refusedBy(t, s.err, security.KeyUsage)
	c, _ := connect(t, security.ClientTLS(w.web, expect(t, "spiffe://shop"), nil), only(x509.ExtKeyUsageClientAuth))
	refusedBy(t, c.err, security.KeyUsage)
	// Without the extension all uses are allowed, as the specification says.
	none := w.shop.workload("spiffe://shop/old", func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	_, s = connect(t, &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{none.tls()}}, security.ServerTLS(w.orders, nil))
	if s.err != nil {
		t.Error(s.err)
	}
}
