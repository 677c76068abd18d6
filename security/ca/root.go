package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// root is a self-signed certificate with its key.
type root struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newRoot(td spiffeid.TrustDomain, ttl time.Duration) (*root, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	number := serial()
	t := &x509.Certificate{
		SerialNumber: number,
		// The number keeps the names of two roots apart, by which chains are found.
		Subject:               pkix.Name{Organization: []string{td.Name()}, CommonName: "intramesh " + number.Text(36)},
		URIs:                  []*url.URL{td.ID().URL()}, // X509-SVID, 3.1: a signing certificate has the domain's ID
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // it signs workloads and no other authorities
	}
	t.NotBefore, t.NotAfter = validity(ttl)
	cert, err := sign(t, t, key, &key.PublicKey)
	return &root{cert: cert, key: key}, err
}

// issue signs the certificate of a workload as the X509-SVID specification wants it.
func (r *root) issue(id spiffeid.ID, ttl time.Duration) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{Organization: []string{id.TrustDomain().Name()}},
		URIs:                  []*url.URL{id.URL()},
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	t.NotBefore, t.NotAfter = validity(ttl)
	if t.NotAfter.After(r.cert.NotAfter) {
		t.NotAfter = r.cert.NotAfter
	}
	if !t.NotAfter.After(time.Now()) {
		return nil, nil, fmt.Errorf("the root has expired at %s", r.cert.NotAfter.UTC().Format(time.RFC3339))
	}
	cert, err := sign(t, r.cert, r.key, &key.PublicKey)
	return cert, key, err
}

// maxBackdate is how far back certificates begin, for peers whose clocks are behind. Istio's authority has the same
// (ClockSkewGracePeriod). A short life is dated back by a tenth of it, so that its share that is gone says something.
const maxBackdate = 2 * time.Minute

// validity is in whole seconds, as certificates are, and rounded to be no shorter than ttl.
func validity(ttl time.Duration) (from, to time.Time) {
	now := time.Now()
	from = now.Add(-min(maxBackdate, ttl/10)).Truncate(time.Second)
	to = now.Add(ttl + time.Second - 1).Truncate(time.Second)
	return from, to
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func sign(t, parent *x509.Certificate, by *ecdsa.PrivateKey, public *ecdsa.PublicKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, public, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// serial is a random number of 127 bits: RFC 5280 wants it positive and at most 20 bytes.
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[0] &= 0x7f
	b[15] |= 1
	return new(big.Int).SetBytes(b)
}
