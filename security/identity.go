package security

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"slices"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// Identity is who this process is and whom it trusts, kept up to date by whoever implements it.
type Identity interface {
	// Watch returns what holds now, and a channel that is closed when that has been replaced. The Material is nil while
	// nothing is known. Watch is called for every handshake and every request, so it neither blocks nor takes a lock.
	Watch() (*Material, <-chan struct{})
}

// Material is an identity at one time: a certificate with its key, and the roots of each trust domain. It is immutable;
// make it with [NewMaterial].
type Material struct {
	cert      *tls.Certificate
	id        spiffeid.ID
	notBefore time.Time
	notAfter  time.Time
	trust     trust
	clients   verdicts // peers that were verified as clients
	servers   verdicts // peers that were verified as servers
}

var _ Identity = (*Material)(nil)

// ID is the SPIFFE ID of this process.
func (m *Material) ID() spiffeid.ID { return m.id }

// Certificate is the chain of this process with its key and the parsed Leaf. It must not be changed.
func (m *Material) Certificate() *tls.Certificate { return m.cert }

// NotBefore is when the own chain begins to be valid.
func (m *Material) NotBefore() time.Time { return m.notBefore }

// NotAfter is when the first certificate of the own chain, root included, ends to be valid. From then on the Material is
// not used: handshakes are refused with [OwnExpired].
func (m *Material) NotAfter() time.Time { return m.notAfter }

// Expired says whether the own chain is no longer valid at t.
func (m *Material) Expired(t time.Time) bool { return t.After(m.notAfter) }

// TrustDomains lists the trust domains whose members are trusted, in order.
func (m *Material) TrustDomains() []spiffeid.TrustDomain {
	return slices.SortedFunc(maps.Keys(m.trust), spiffeid.TrustDomain.Compare)
}

// Authorities are the roots of a trust domain; none if it is not known.
func (m *Material) Authorities(td spiffeid.TrustDomain) []*x509.Certificate {
	if a := m.trust[td]; a != nil {
		return slices.Clone(a.roots)
	}
	return nil
}

// Watch returns m and nil, a channel that is never closed: an identity that does not change is an [Identity] too.
func (m *Material) Watch() (*Material, <-chan struct{}) { return m, nil }

// usable is the material that handshakes may use now.
func usable(id Identity) (*Material, *HandshakeError) {
	m, _ := id.Watch()
	switch {
	case m == nil:
		return nil, &HandshakeError{Reason: NoIdentity}
	case m.Expired(time.Now()):
		return nil, &HandshakeError{Reason: OwnExpired, Err: expiredAt(m.notAfter)}
	}
	return m, nil
}
