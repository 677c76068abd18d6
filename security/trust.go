package security

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// trust is who may vouch for the members of each trust domain.
type trust map[spiffeid.TrustDomain]*authorities

// authorities are the roots of one trust domain.
type authorities struct {
	roots []*x509.Certificate
	pool  *x509.CertPool
}

// newTrust copies the bundles, which others may change.
func newTrust(bundles []*x509bundle.Bundle) (trust, error) {
	t := make(trust, len(bundles))
	for _, b := range bundles {
		if b == nil {
			return nil, errors.New("a bundle is nil")
		}
		td := b.TrustDomain()
		if t[td] != nil {
			return nil, fmt.Errorf("two bundles for trust domain %q", td)
		}
		a, err := newAuthorities(b.X509Authorities())
		if err != nil {
			return nil, fmt.Errorf("bundle of trust domain %q: %w", td, err)
		}
		t[td] = a
	}
	return t, nil
}

func newAuthorities(roots []*x509.Certificate) (*authorities, error) {
	if len(roots) == 0 {
		return nil, errors.New("no certificates")
	}
	a := &authorities{roots: slices.Clone(roots), pool: x509.NewCertPool()}
	for i, root := range roots {
		if !isAuthority(root) {
			return nil, fmt.Errorf("certificate %d is not that of an authority", i+1)
		}
		a.pool.AddCert(root)
	}
	return a, nil
}

// isAuthority says whether a certificate may sign others (RFC 5280, 4.2.1.9 and 4.2.1.3).
func isAuthority(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA && (c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0)
}
