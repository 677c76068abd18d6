package security

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// Peer is who is at the other end of a connection. It is immutable.
type Peer struct {
	// ID is the SPIFFE ID, "spiffe://shop/web".
	ID spiffeid.ID
	// Certificate is the peer's leaf. It must not be changed.
	Certificate *x509.Certificate
	// NotAfter is when the first certificate of the chain ends to be valid. (Of [PeerOf]: when the leaf does.)
	NotAfter time.Time
}

// TrustDomain is the trust domain of the ID.
func (p *Peer) TrustDomain() spiffeid.TrustDomain { return p.ID.TrustDomain() }

// String is the SPIFFE ID.
func (p *Peer) String() string { return p.ID.String() }

// PeerOf reads who the peer of a connection says it is. It verifies nothing, so it is only for connections that came
// about by [ServerTLS] or [ClientTLS]; where that is not certain, use [VerifyClient] or [VerifyServer]. The error is a
// [*HandshakeError].
func PeerOf(state tls.ConnectionState) (*Peer, error) {
	if len(state.PeerCertificates) == 0 {
		return nil, &HandshakeError{Reason: NoCertificate}
	}
	leaf := state.PeerCertificates[0]
	id, refused := identityOf(leaf)
	if refused != nil {
		return nil, refused
	}
	return &Peer{ID: id, Certificate: leaf, NotAfter: leaf.NotAfter}, nil
}

// VerifyClient judges the client of a connection by what id trusts now. A server calls it for every request: it costs a
// look-up and no allocation when the peer is known, and from the moment when the peer's certificate has expired or its
// authority is no longer trusted it refuses what was accepted before, without a new connection. It does not matter how the
// connection's tls.Config was made. A nil state is a connection without TLS. The error is a [*HandshakeError].
func VerifyClient(id Identity, state *tls.ConnectionState) (*Peer, error) {
	p, refused := verifyNow(id, state, x509.ExtKeyUsageClientAuth)
	return p, refused.asError()
}

// VerifyServer is [VerifyClient] for the other side, where the server must be the expected one.
func VerifyServer(id Identity, state *tls.ConnectionState, expect Expectation) (*Peer, error) {
	p, refused := verifyNow(id, state, x509.ExtKeyUsageServerAuth)
	if refused == nil {
		refused = expect.check(p)
	}
	if refused != nil {
		return nil, refused
	}
	return p, nil
}

// verifyNow does not ask whether the own identity has expired: that stops new connections, not those that there are.
func verifyNow(id Identity, state *tls.ConnectionState, side x509.ExtKeyUsage) (*Peer, *HandshakeError) {
	m, _ := id.Watch()
	switch {
	case m == nil:
		return nil, &HandshakeError{Reason: NoIdentity}
	case state == nil, !state.HandshakeComplete:
		return nil, &HandshakeError{Reason: NotComplete}
	case state.Version < tls.VersionTLS13:
		return nil, &HandshakeError{Reason: BadVersion, Err: fmt.Errorf("it speaks %s", tls.VersionName(state.Version))}
	}
	return m.verify(state.PeerCertificates, side)
}

// verify judges a peer, once for each certificate and Material.
func (m *Material) verify(certs []*x509.Certificate, side x509.ExtKeyUsage) (*Peer, *HandshakeError) {
	known := &m.clients
	if side == x509.ExtKeyUsageServerAuth {
		known = &m.servers
	}
	now := time.Now()
	if len(certs) > 0 {
		if v := known.find(certs[0], now); v != nil {
			return v.peer, nil
		}
	}
	v, refused := m.trust.verify(certs, side, now)
	if refused != nil {
		return nil, refused
	}
	known.add(certs[0], v)
	return v.peer, nil
}
