package security

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The two things that callers tell apart.
var (
	// ErrDenied is wrapped by every refusal of an [Authorizer] of this package: the peer is known, and may not.
	ErrDenied = errors.New("security: denied")
	// ErrHandshakeRefused is wrapped by every [*HandshakeError]: one side of a connection did not accept the other.
	ErrHandshakeRefused = errors.New("security: handshake refused")
)

// Reason is why a connection was refused, as a word for programs, logs and dashboards.
type Reason string

// The reasons. Those about a peer come before those about this process.
const (
	NoCertificate      Reason = "no_certificate"       // the peer showed none
	NoSPIFFEID         Reason = "no_spiffe_id"         // the certificate has no URI name, or one that is no SPIFFE ID with a path
	ManyURIs           Reason = "many_uris"            // the certificate has more than one URI name
	IsAuthority        Reason = "is_authority"         // the certificate is that of an authority
	KeyUsage           Reason = "key_usage"            // the certificate, or one above it, is not for this use
	NotYetValid        Reason = "not_yet_valid"        // a certificate of the chain is not valid yet
	Expired            Reason = "expired"              // a certificate of the chain is not valid any more
	UnknownTrustDomain Reason = "unknown_trust_domain" // nothing is known of the ID's trust domain
	UnknownAuthority   Reason = "unknown_authority"    // there is no chain to a root of the ID's trust domain
	NotAnAuthority     Reason = "not_an_authority"     // a certificate was signed by one that is not an authority's
	Constrained        Reason = "constrained"          // an authority vouched for what its own certificate forbids it
	BadChain           Reason = "bad_chain"            // the chain is unacceptable in another way
	WrongIdentity      Reason = "wrong_identity"       // the server proved who it is, and it is not who was expected
	BadVersion         Reason = "bad_version"          // the peer does not speak TLS 1.3
	NotComplete        Reason = "not_complete"         // the connection is not TLS, or its handshake is not over

	NoIdentity Reason = "no_identity" // this process has no identity yet
	OwnExpired Reason = "own_expired" // the identity of this process has expired

	ByPeer Reason = "by_peer" // the other side refused, by an alert; it knows why
)

var reasonTexts = map[Reason]string{
	NoCertificate:      "the peer has no certificate",
	NoSPIFFEID:         "the certificate has no SPIFFE ID",
	ManyURIs:           "the certificate has more than one URI name",
	IsAuthority:        "the certificate is that of an authority",
	KeyUsage:           "the certificate is not for this use",
	NotYetValid:        "the certificate is not valid yet",
	Expired:            "the certificate has expired",
	UnknownTrustDomain: "the trust domain is unknown",
	UnknownAuthority:   "no authority of its trust domain vouches for it",
	NotAnAuthority:     "a certificate is signed by one that is not an authority's",
	Constrained:        "the authority may not vouch for this name",
	BadChain:           "the chain of certificates is not acceptable",
	WrongIdentity:      "it is not the expected identity",
	BadVersion:         "the peer does not speak TLS 1.3",
	NotComplete:        "there is no completed handshake",
	NoIdentity:         "this process has no identity yet",
	OwnExpired:         "the identity of this process has expired",
	ByPeer:             "the peer refused",
}

// text is the reason as words for people.
func (r Reason) text() string {
	if s, ok := reasonTexts[r]; ok {
		return s
	}
	return string(r)
}

// HandshakeError says that a connection was refused, by whom and why. It wraps [ErrHandshakeRefused]. It never holds key
// material.
type HandshakeError struct {
	// Reason is why.
	Reason Reason
	// PeerID is the SPIFFE ID in the peer's certificate, empty where there is none. It is proven only where Reason is
	// [WrongIdentity]; otherwise it is no more than what the peer claims.
	PeerID string
	// Err is the detail, or nil.
	Err error
}

func (e *HandshakeError) Error() string {
	var b strings.Builder
	b.WriteString(ErrHandshakeRefused.Error())
	b.WriteString(": ")
	b.WriteString(e.Reason.text())
	if e.PeerID != "" {
		b.WriteString(": peer ")
		b.WriteString(e.PeerID)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives ErrHandshakeRefused and the detail.
func (e *HandshakeError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrHandshakeRefused}
	}
	return []error{ErrHandshakeRefused, e.Err}
}

// asError makes a nil interface of a nil pointer.
func (e *HandshakeError) asError() error {
	if e == nil {
		return nil
	}
	return e
}

func expiredAt(t time.Time) error { return fmt.Errorf("at %s", t.UTC().Format(time.RFC3339)) }
