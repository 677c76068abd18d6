package pkitest

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
	"sync/atomic"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/security"
)

// Signer is a certificate with its key, and those above it without the root: what a peer shows.
type Signer struct {
	t     testing.TB
	cert  *x509.Certificate
	key   crypto.Signer
	above []*x509.Certificate
}

// Change makes a certificate what a test wants it to be.
type Change func(*x509.Certificate)

// Root makes the root of an authority.
func Root(t testing.TB, changes ...Change) *Signer {
	t.Helper()
	return selfSigned(t, authority(), changes)
}

// SelfSigned makes a workload's certificate that nobody but itself vouches for.
func SelfSigned(t testing.TB, id string) *Signer {
	t.Helper()
	return selfSigned(t, workload(t, id), nil)
}

// Workload signs a workload's certificate, for an hour unless a change says something else. More IDs than one are an
// attack, and none too.
func (s *Signer) Workload(ids []string, changes ...Change) *Signer {
	s.t.Helper()
	return s.sign(workload(s.t, ids...), changes)
}

// Authority signs an authority below s.
func (s *Signer) Authority(changes ...Change) *Signer {
	s.t.Helper()
	return s.sign(authority(), changes)
}

// TLS is what crypto/tls wants.
func (s *Signer) TLS() tls.Certificate {
	c := tls.Certificate{Certificate: [][]byte{s.cert.Raw}, PrivateKey: s.key}
	for _, above := range s.above {
		c.Certificate = append(c.Certificate, above.Raw)
	}
	return c
}

// Material makes an identity of a workload's certificate, which trusts these roots for its own trust domain.
func (s *Signer) Material(roots ...*Signer) *security.Material {
	s.t.Helper()
	b := x509bundle.New(spiffeid.RequireFromURI(s.cert.URIs[0]).TrustDomain())
	for _, r := range roots {
		b.AddX509Authority(r.cert)
	}
	m, err := security.NewMaterial(s.TLS(), b)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

var serial atomic.Int64

func workload(t testing.TB, ids ...string) *x509.Certificate {
	t.Helper()
	c := template()
	for _, id := range ids {
		u, err := url.Parse(id)
		if err != nil {
			t.Fatal(err)
		}
		c.URIs = append(c.URIs, u)
	}
	return c
}

func template() *x509.Certificate {
	n := big.NewInt(serial.Add(1))
	return &x509.Certificate{
		SerialNumber:          n,
		Subject:               pkix.Name{CommonName: "test " + n.String()},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
}

func authority() *x509.Certificate {
	c := template()
	c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	c.NotAfter = c.NotAfter.Add(24 * time.Hour)
	return c
}

func selfSigned(t testing.TB, c *x509.Certificate, changes []Change) *Signer {
	t.Helper()
	for _, f := range changes {
		f(c)
	}
	s := &Signer{t: t, key: key(t)}
	s.cert = create(t, c, c, s.key.Public(), s.key)
	return s
}

// sign makes a certificate that s signs, whether it may or not.
func (s *Signer) sign(c *x509.Certificate, changes []Change) *Signer {
	s.t.Helper()
	for _, f := range changes {
		f(c)
	}
	k := key(s.t)
	made := &Signer{t: s.t, cert: create(s.t, c, s.cert, k.Public(), s.key), key: k}
	if s.cert.Subject.String() != s.cert.Issuer.String() {
		made.above = append([]*x509.Certificate{s.cert}, s.above...)
	}
	return made
}

func key(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func create(t testing.TB, c, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) *x509.Certificate {
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
