package security

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// verify judges a peer by the certificates that it showed, the leaf first. side is the use that the leaf is put to.
//
// What a workload's certificate must look like is in the SPIFFE X.509-SVID specification, sections 2 to 4.
func (t trust) verify(certs []*x509.Certificate, side x509.ExtKeyUsage, now time.Time) (*verdict, *HandshakeError) {
	if len(certs) == 0 {
		return nil, &HandshakeError{Reason: NoCertificate}
	}
	id, refused := identityOf(certs[0])
	if refused != nil {
		return nil, refused
	}
	refuse := func(r Reason, err error) (*verdict, *HandshakeError) {
		return nil, &HandshakeError{Reason: r, PeerID: id.String(), Err: err}
	}
	if r, err := workload(certs[0], now); r != "" {
		return refuse(r, err)
	}
	domain := t[id.TrustDomain()]
	if domain == nil {
		return refuse(UnknownTrustDomain, nil)
	}
	chains, err := domain.chains(certs, side, now)
	if err != nil {
		return refuse(reasonOf(err, certs, now), err)
	}
	return newVerdict(id, chains), nil
}

// chains are the ways from the leaf to a root. Host names play no part in them.
func (a *authorities) chains(certs []*x509.Certificate, side x509.ExtKeyUsage, now time.Time) ([][]*x509.Certificate, error) {
	between := x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	return certs[0].Verify(x509.VerifyOptions{
		Roots:         a.pool, // never nil, which would mean the roots of the system
		Intermediates: between,
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{side},
	})
}

// maxID is the longest SPIFFE ID in bytes (SPIFFE-ID, 2.3).
const maxID = 2048

// identityOf is the one SPIFFE ID of a workload's certificate.
func identityOf(leaf *x509.Certificate) (spiffeid.ID, *HandshakeError) {
	switch len(leaf.URIs) {
	case 0:
		return spiffeid.ID{}, &HandshakeError{Reason: NoSPIFFEID}
	case 1:
	default:
		return spiffeid.ID{}, &HandshakeError{Reason: ManyURIs, Err: fmt.Errorf("it has %d", len(leaf.URIs))}
	}
	id, err := workloadID(leaf.URIs[0].String())
	if err != nil {
		return spiffeid.ID{}, &HandshakeError{Reason: NoSPIFFEID, Err: err}
	}
	return id, nil
}

// workloadID parses the ID of a workload. The ID without a path is that of the trust domain itself, which no workload has.
func workloadID(s string) (spiffeid.ID, error) {
	id, err := parseID(s)
	if err == nil && id.Path() == "" {
		return spiffeid.ID{}, fmt.Errorf("%q is a trust domain, not a member of one", s)
	}
	return id, err
}

// parseID parses the ID of a workload or of a trust domain. Errors quote what is foreign, and not at any length.
func parseID(s string) (spiffeid.ID, error) {
	if len(s) > maxID {
		return spiffeid.ID{}, fmt.Errorf("a SPIFFE ID of %d bytes; the most is %d", len(s), maxID)
	}
	id, err := spiffeid.FromString(s)
	if err != nil {
		return spiffeid.ID{}, fmt.Errorf("%q is not a SPIFFE ID: %w", shortened(s), err)
	}
	return id, nil
}

func shortened(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}

// workload checks what the leaf itself says. Its times are looked at here as well as in the chain, so that a certificate
// that is too old is called so, whoever signed it.
func workload(leaf *x509.Certificate, now time.Time) (Reason, error) {
	const signs = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	switch {
	case leaf.IsCA, leaf.KeyUsage&signs != 0:
		return IsAuthority, nil
	case leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return KeyUsage, errors.New("it may not sign")
	}
	return validity(leaf, now)
}

func validity(c *x509.Certificate, now time.Time) (Reason, error) {
	switch {
	case now.Before(c.NotBefore):
		return NotYetValid, fmt.Errorf("not before %s", c.NotBefore.UTC().Format(time.RFC3339))
	case now.After(c.NotAfter):
		return Expired, expiredAt(c.NotAfter)
	}
	return "", nil
}

// reasonOf puts what package x509 found into one of our words.
func reasonOf(err error, certs []*x509.Certificate, now time.Time) Reason {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return reasonOfInvalid(invalid, now)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if slices.ContainsFunc(certs[1:], func(c *x509.Certificate) bool { return !isAuthority(c) }) {
			return NotAnAuthority
		}
		return UnknownAuthority
	}
	return BadChain
}

func reasonOfInvalid(invalid x509.CertificateInvalidError, now time.Time) Reason {
	switch invalid.Reason {
	case x509.Expired: // both ends of the time
		if r, _ := validity(invalid.Cert, now); r != "" {
			return r
		}
		return Expired
	case x509.NotAuthorizedToSign:
		return NotAnAuthority
	case x509.IncompatibleUsage:
		return KeyUsage
	case x509.CANotAuthorizedForThisName, x509.NameConstraintsWithoutSANs, x509.UnconstrainedName, x509.TooManyConstraints,
		x509.CANotAuthorizedForExtKeyUsage:
		return Constrained
	}
	return BadChain
}
