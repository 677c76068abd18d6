package ca

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/security"
)

// SVID is one certificate of a workload with its key, and the roots that it should trust. It does not renew itself.
type SVID struct {
	// ID is the SPIFFE ID in the certificate.
	ID spiffeid.ID
	// Certificate is the certificate, the key, and the parsed Leaf.
	Certificate tls.Certificate
	// Bundles are the roots of the CA's trust domain first, and of those that it is federated with.
	Bundles []*x509bundle.Bundle

	signer *root
}

// Issue makes a certificate for a workload: "spiffe://shop/web", or "/web" for the same in the CA's trust domain.
func (c *CA) Issue(id string) (*SVID, error) {
	parsed, err := c.workload(id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.issue(parsed)
}

// issue needs mu.
func (c *CA) issue(id spiffeid.ID) (*SVID, error) {
	cert, key, err := c.signer.issue(id, c.ttl)
	if err != nil {
		return nil, fmt.Errorf("ca: issue %s: %w", id, err)
	}
	return &SVID{
		ID:          id,
		Certificate: tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert},
		Bundles:     c.bundles(),
		signer:      c.signer,
	}, nil
}

func (c *CA) workload(s string) (id spiffeid.ID, err error) {
	if strings.HasPrefix(s, "/") {
		id, err = spiffeid.FromPath(c.domain, s)
	} else {
		id, err = spiffeid.FromString(s)
	}
	switch {
	case err != nil:
		return spiffeid.ID{}, fmt.Errorf("ca: %q is not a SPIFFE ID: %w", s, err)
	case !id.MemberOf(c.domain):
		return spiffeid.ID{}, fmt.Errorf("ca: %q is not a member of trust domain %q", s, c.domain)
	case id.Path() == "":
		return spiffeid.ID{}, fmt.Errorf("ca: %q is a trust domain, not a member of one", s)
	}
	return id, nil
}

// Material is the SVID as an identity that does not change.
func (s *SVID) Material() (*security.Material, error) {
	return security.NewMaterial(s.Certificate, s.Bundles...)
}

// PEM is the certificate, the key (PKCS #8), and the roots of the CA's own trust domain.
func (s *SVID) PEM() (cert, key, bundle []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.Certificate.PrivateKey)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("ca: %w", err)
	}
	for _, c := range s.Certificate.Certificate {
		cert = append(cert, block("CERTIFICATE", c)...)
	}
	for _, c := range s.Bundles[0].X509Authorities() {
		bundle = append(bundle, block("CERTIFICATE", c.Raw)...)
	}
	return cert, block("PRIVATE KEY", der), bundle, nil
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
