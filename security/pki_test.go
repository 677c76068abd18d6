package security_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/security"
)

// signer is a certificate with its key and those above it, without the root: what a peer shows.
type signer struct {
	t     testing.TB
	cert  *x509.Certificate
	key   crypto.Signer
	above []*x509.Certificate
}

var serials int64

func key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// uris parses URI names, valid or not.
func uris(t testing.TB, names ...string) (list []*url.URL) {
	t.Helper()
	for _, s := range names {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, u)
	}
	return list
}

// template is valid in every way.
func template(t testing.TB, names ...string) *x509.Certificate {
	serials++
	return &x509.Certificate{
		SerialNumber:          big.NewInt(serials),
		Subject:               pkix.Name{CommonName: "test " + big.NewInt(serials).String()},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		URIs:                  uris(t, names...),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
}

func authorityTemplate(t testing.TB) *x509.Certificate {
	c := template(t)
	c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	c.NotAfter = c.NotAfter.Add(24 * time.Hour)
	return c
}

// root makes a self-signed certificate of an authority, changed by those functions.
func root(t testing.TB, changes ...func(*x509.Certificate)) *signer {
	return selfSigned(t, authorityTemplate(t), changes...)
}

func selfSigned(t testing.TB, c *x509.Certificate, changes ...func(*x509.Certificate)) *signer {
	t.Helper()
	for _, change := range changes {
		change(c)
	}
	k := key(t)
	return &signer{t: t, cert: sign(t, c, c, k.Public(), k), key: k}
}

func sign(t testing.TB, c, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// signs makes a certificate that s signs, whether it may or not.
func (s *signer) signs(c *x509.Certificate, changes ...func(*x509.Certificate)) *signer {
	s.t.Helper()
	for _, change := range changes {
		change(c)
	}
	k := key(s.t)
	made := &signer{t: s.t, cert: sign(s.t, c, s.cert, k.Public(), s.key), key: k}
	if s.cert.Subject.String() != s.cert.Issuer.String() {
		made.above = append([]*x509.Certificate{s.cert}, s.above...)
	}
	return made
}

// workload is a valid certificate for an ID, changed by those functions.
func (s *signer) workload(id string, changes ...func(*x509.Certificate)) *signer {
	s.t.Helper()
	return s.signs(template(s.t, id), changes...)
}

// intermediate is an authority below s.
func (s *signer) intermediate(changes ...func(*x509.Certificate)) *signer {
	s.t.Helper()
	return s.signs(authorityTemplate(s.t), changes...)
}

func (s *signer) tls() tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{s.cert.Raw}, PrivateKey: s.key}
	for _, above := range s.above {
		c.Certificate = append(c.Certificate, above.Raw)
	}
	return c
}

func bundle(td string, roots ...*signer) *x509bundle.Bundle {
	b := x509bundle.New(spiffeid.RequireTrustDomainFromString(td))
	for _, r := range roots {
		b.AddX509Authority(r.cert)
	}
	return b
}

func material(t testing.TB, s *signer, bundles ...*x509bundle.Bundle) *security.Material {
	t.Helper()
	m, err := security.NewMaterial(s.tls(), bundles...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func expect(t testing.TB, ids ...string) security.Expectation {
	t.Helper()
	e, err := security.Expect(ids...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
