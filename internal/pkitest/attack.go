package pkitest

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"github.com/intramesh/intramesh/security"
)

// Attack is a client that every server of the mesh must refuse. (Package security has a longer list, for TLS alone.)
type Attack struct {
	Name   string
	Reason security.Reason
	// Old is set where the client speaks TLS 1.2 at most.
	Old bool

	show func(t testing.TB, shop *Signer) *Signer // nil: no certificate
}

const mallory = "spiffe://shop/mallory"

func changed(f Change) func(testing.TB, *Signer) *Signer {
	return func(_ testing.TB, shop *Signer) *Signer { return shop.Workload([]string{mallory}, f) }
}

func named(ids ...string) func(testing.TB, *Signer) *Signer {
	return func(_ testing.TB, shop *Signer) *Signer { return shop.Workload(ids) }
}

// Attacks are tried on a server of the trust domain "shop".
var Attacks = []Attack{
	{Name: "no certificate", Reason: security.NoCertificate},
	{Name: "expired", Reason: security.Expired,
		show: changed(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) })},
	{Name: "not yet valid", Reason: security.NotYetValid,
		show: changed(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })},
	{Name: "other trust domain", Reason: security.UnknownTrustDomain,
		show: func(t testing.TB, _ *Signer) *Signer { return Root(t).Workload([]string{"spiffe://evil/web"}) }},
	{Name: "other trust domain, signed by ours", Reason: security.UnknownTrustDomain, show: named("spiffe://evil/web")},
	{Name: "our trust domain, signed by another", Reason: security.UnknownAuthority,
		show: func(t testing.TB, _ *Signer) *Signer { return Root(t).Workload([]string{mallory}) }},
	{Name: "no URI", Reason: security.NoSPIFFEID, show: named()},
	{Name: "two URIs", Reason: security.ManyURIs, show: named("spiffe://shop/web", mallory)},
	{Name: "self-signed", Reason: security.UnknownAuthority,
		show: func(t testing.TB, _ *Signer) *Signer { return SelfSigned(t, mallory) }},
	{Name: "a leaf used as an authority", Reason: security.NotAnAuthority,
		show: func(_ testing.TB, shop *Signer) *Signer {
			leaf := shop.Authority(func(c *x509.Certificate) { // which sign takes for one that is in the chain
				c.IsCA, c.KeyUsage, c.MaxPathLen = false, x509.KeyUsageDigitalSignature, -1
			})
			return leaf.Workload([]string{mallory})
		}},
	{Name: "an authority", Reason: security.IsAuthority,
		show: changed(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign })},
	{Name: "a certificate for servers", Reason: security.KeyUsage,
		show: changed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
	{Name: "TLS 1.2", Reason: security.BadVersion, Old: true, show: named("spiffe://shop/web")},
}

// Config is the client's, which has no scruples.
func (a Attack) Config(t testing.TB, shop *Signer) *tls.Config {
	t.Helper()
	cfg := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // an attacker does not care
	if a.Old {
		cfg.MaxVersion = tls.VersionTLS12
	}
	if a.show != nil {
		c := a.show(t, shop).TLS()
		// What the server says that it wants makes no difference to what is shown.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
	}
	return cfg
}
