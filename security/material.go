package security

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
)

// NewMaterial checks a certificate and the roots that are trusted, and makes an identity of them. The bundles hold the
// roots of the own trust domain, and of others that are trusted too.
//
// It is strict, so that what a peer would refuse is refused at home: the key belongs to the certificate, which is that of
// a workload with exactly one SPIFFE ID, can act as client and as server, is valid now, and has a chain to a root of its
// own trust domain. Roots are the certificates of authorities. An error never shows the key.
func NewMaterial(cert tls.Certificate, bundles ...*x509bundle.Bundle) (*Material, error) {
	m, err := newMaterial(cert, bundles)
	if err != nil {
		return nil, fmt.Errorf("security: identity: %w", err)
	}
	return m, nil
}

func newMaterial(cert tls.Certificate, bundles []*x509bundle.Bundle) (*Material, error) {
	certs, err := parsed(&cert)
	if err != nil {
		return nil, err
	}
	roots, err := newTrust(bundles)
	if err != nil {
		return nil, err
	}
	m := &Material{cert: &cert, trust: roots}
	cert.Certificate = slices.Clone(cert.Certificate)
	cert.Leaf = certs[0]
	now := time.Now()
	for _, side := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		v, refused := roots.verify(certs, side, now)
		if refused != nil {
			return nil, own(refused)
		}
		m.id, m.notBefore, m.notAfter = v.peer.ID, v.notBefore, v.notAfter
	}
	return m, nil
}

// own tells of a refusal of the own certificate: who it is about needs no saying.
func own(refused *HandshakeError) error {
	if refused.Err == nil {
		return errors.New(refused.Reason.text())
	}
	return fmt.Errorf("%s: %w", refused.Reason.text(), refused.Err)
}

// parsed is the chain of a certificate, whose key must be that of the leaf.
func parsed(cert *tls.Certificate) ([]*x509.Certificate, error) {
	if len(cert.Certificate) == 0 {
		return nil, errors.New("no certificate")
	}
	certs := make([]*x509.Certificate, len(cert.Certificate))
	for i, der := range cert.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of the chain: %w", i+1, err)
		}
		certs[i] = c
	}
	return certs, belongs(cert.PrivateKey, certs[0])
}

// belongs checks that a key is the one of a certificate. Keys in hardware are signers as well.
func belongs(key crypto.PrivateKey, leaf *x509.Certificate) error {
	if key == nil {
		return errors.New("no key")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return fmt.Errorf("a key of type %T cannot sign", key)
	}
	public, ok := signer.Public().(interface{ Equal(x crypto.PublicKey) bool })
	if !ok {
		return fmt.Errorf("a public key of type %T is not supported", signer.Public())
	}
	if !public.Equal(leaf.PublicKey) {
		return errors.New("the key is not the one of the certificate")
	}
	return nil
}
