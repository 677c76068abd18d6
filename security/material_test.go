package security_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/security"
)

func TestMaterial(t *testing.T) {
	shop, partner := root(t), root(t)
	below := shop.intermediate(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	})
	b := bundle("shop", shop)
	m := material(t, below.workload("spiffe://shop/web"), b, bundle("partner", partner))
	if m.ID().String() != "spiffe://shop/web" || m.Certificate().Leaf == nil || len(m.Certificate().Certificate) != 2 {
		t.Errorf("%v %v", m.ID(), m.Certificate())
	}
	if !m.NotAfter().Equal(below.cert.NotAfter) || !m.NotBefore().Equal(below.cert.NotBefore) {
		t.Errorf("valid from %v to %v, the chain is from %v to %v", m.NotBefore(), m.NotAfter(), below.cert.NotBefore, below.cert.NotAfter)
	}
	if tds := m.TrustDomains(); len(tds) != 2 || tds[0].Name() != "partner" || tds[1].Name() != "shop" {
		t.Errorf("trusts %v", tds)
	}
	b.AddX509Authority(root(t).cert) // which is not the Material's any more
	own, none := spiffeid.RequireTrustDomainFromString("shop"), spiffeid.RequireTrustDomainFromString("none")
	if a := m.Authorities(own); len(a) != 1 || m.Authorities(none) != nil {
		t.Errorf("%d authorities", len(a))
	}
	if now, changed := m.Watch(); now != m || changed != nil {
		t.Error("Material is not an identity that stays")
	}
}

// What a peer would refuse is refused at home.
func TestNewMaterialRefuses(t *testing.T) {
	shop := root(t)
	good := shop.workload("spiffe://shop/web")
	withKey := func(key any) tls.Certificate {
		c := good.tls()
		c.PrivateKey = key
		return c
	}
	for name, c := range map[string]struct {
		cert    tls.Certificate
		bundles []*x509bundle.Bundle
		want    string
	}{
		"nothing":          {tls.Certificate{}, nil, "no certificate"},
		"no DER":           {tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: good.key}, nil, "certificate 1 of the chain"},
		"no key":           {withKey(nil), nil, "no key"},
		"not a key":        {withKey("secret"), nil, "cannot sign"},
		"another key":      {withKey(key(t)), nil, "not the one of the certificate"},
		"no bundle":        {good.tls(), nil, "trust domain is unknown"},
		"nil bundle":       {good.tls(), []*x509bundle.Bundle{nil}, "bundle is nil"},
		"empty bundle":     {good.tls(), []*x509bundle.Bundle{bundle("shop")}, `bundle of trust domain "shop": no certificates`},
		"leaf as a root":   {good.tls(), []*x509bundle.Bundle{bundle("shop", good)}, "not that of an authority"},
		"two bundles":      {good.tls(), []*x509bundle.Bundle{bundle("shop", shop), bundle("shop", shop)}, "two bundles"},
		"another root":     {good.tls(), []*x509bundle.Bundle{bundle("shop", root(t))}, "no authority of its trust domain"},
		"authority":        {shop.tls(), []*x509bundle.Bundle{bundle("shop", shop)}, "no SPIFFE ID"},
		"for clients only": {shop.workload("spiffe://shop/web", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }).tls(), []*x509bundle.Bundle{bundle("shop", shop)}, "not for this use"},
		"expired":          {shop.workload("spiffe://shop/web", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }).tls(), []*x509bundle.Bundle{bundle("shop", shop)}, "has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := security.NewMaterial(c.cert, c.bundles...)
			if m != nil || err == nil || !strings.HasPrefix(err.Error(), "security: identity: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v, want %q", m, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Error("the error shows the key")
			}
		})
	}
}
