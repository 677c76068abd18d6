package security

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Observer hears of each connection that this process refuses, for logs and metrics. It runs within the handshake, from
// many goroutines at once, so it must not block. Connections that the other side refuses are seen by who reads from them,
// see [Refusal].
type Observer func(*HandshakeError)

// ServerTLS makes a config for servers, which proves id to clients and verifies theirs. It follows the identity. refused
// may be nil. NextProtos is the caller's to set; http.Server and grpc do. Certificates must stay empty: crypto/tls would
// show those to clients that name no host, as httptest.Server.StartTLS makes it do with its own.
func ServerTLS(id Identity, refused Observer) *tls.Config {
	s := &side{id: id, refused: refused, peer: x509.ExtKeyUsageClientAuth}
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true, // a resumed session would show the identity of its first handshake
		// The certificate is demanded by VerifyConnection, which refuses a client without one by a typed reason that the
		// observer hears. tls.RequireAnyClientCert would refuse it before, with nothing but a text.
		ClientAuth:       tls.RequestClientCert,
		VerifyConnection: s.verify,
		GetCertificate:   func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate() },
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			s.hear(hello)
			return nil, nil
		},
	}
}

// ClientTLS makes a config for clients, which proves id to the server and lets only a server pass that proves what is
// expected. It follows the identity. refused may be nil. NextProtos is the caller's to set.
func ClientTLS(id Identity, expect Expectation, refused Observer) *tls.Config {
	s := &side{id: id, refused: refused, expect: &expect, peer: x509.ExtKeyUsageServerAuth}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		// What is skipped is crypto/tls's own check, which is about host names, has one set of roots for all trust domains,
		// and is not made again on resumed sessions. VerifyConnection does all that it did, and more, on every connection.
		InsecureSkipVerify:     true, //nolint:gosec // see above
		VerifyConnection:       s.verify,
		SessionTicketsDisabled: true,
		ClientSessionCache:     nil, // no resumption: see ServerTLS
		// Whatever authorities the server hints at: it will say so if it does not accept the one identity that there is.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.certificate() },
	}
}

// side is one side of the connections that a config makes.
type side struct {
	id      Identity
	refused Observer
	expect  *Expectation     // of clients
	peer    x509.ExtKeyUsage // what the peer's certificate must be good for
}

func (s *side) certificate() (*tls.Certificate, error) {
	m, refused := usable(s.id)
	if refused != nil {
		return nil, s.refuse(refused)
	}
	return m.cert, nil
}

// verify does all of the verification. It is called on every connection; on one without a certificate of the peer too.
func (s *side) verify(state tls.ConnectionState) error {
	m, refused := usable(s.id)
	if refused == nil && state.DidResume {
		refused = &HandshakeError{Reason: NotComplete, Err: errResumed}
	}
	var p *Peer
	if refused == nil {
		p, refused = m.verify(state.PeerCertificates, s.peer)
	}
	if refused == nil && s.expect != nil {
		refused = s.expect.check(p)
	}
	if refused != nil {
		return s.refuse(refused)
	}
	return nil
}

// hear tells the observer of clients that crypto/tls is about to refuse, by the right alert, for their version.
func (s *side) hear(hello *tls.ClientHelloInfo) {
	if !slices.Contains(hello.SupportedVersions, tls.VersionTLS13) {
		_ = s.refuse(&HandshakeError{Reason: BadVersion, Err: fmt.Errorf("it offers %s", versions(hello.SupportedVersions))})
	}
}

func (s *side) refuse(e *HandshakeError) error {
	if s.refused != nil {
		s.refused(e)
	}
	return e
}

var errResumed = errors.New("the session was resumed")

func versions(list []uint16) string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = tls.VersionName(v)
	}
	return strings.Join(names, ", ")
}
