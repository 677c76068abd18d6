package security

import (
	"crypto/tls"
	"errors"
	"net"
)

// refusals are the alerts by which the other side says that it does not accept this one (RFC 8446, 6.2). The others tell
// of broken records, or of a peer that goes away.
var refusals = func() map[string]bool {
	alerts := []tls.AlertError{
		40,  // handshake_failure
		42,  // bad_certificate: what crypto/tls sends for all that VerifyConnection refuses
		43,  // unsupported_certificate
		44,  // certificate_revoked
		45,  // certificate_expired
		46,  // certificate_unknown
		48,  // unknown_ca
		49,  // access_denied
		51,  // decrypt_error: a signature that does not fit
		70,  // protocol_version
		71,  // insufficient_security
		80,  // internal_error: what crypto/tls sends when the server has no certificate
		112, // unrecognized_name
		116, // certificate_required
		120, // no_application_protocol
	}
	texts := make(map[string]bool, len(alerts))
	for _, a := range alerts {
		texts[a.Error()] = true
	}
	return texts
}()

// Refusal makes a [*HandshakeError] with reason [ByPeer] of an error that comes from the alert of a peer that does not
// accept this process. All other errors, nil and own refusals among them, are returned as they are.
//
// In TLS 1.3 the alert arrives after the client's handshake is done, so the error may be that of the first read, or of a
// write. When the connection breaks before the alert is read there is none, and the error is that of the connection.
func Refusal(err error) error {
	if _, ok := errors.AsType[*HandshakeError](err); ok {
		return err
	}
	// crypto/tls marks what came from the peer by Op; the alert's own type is not exported, but it has the texts of
	// AlertError.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" && op.Err != nil && refusals[op.Err.Error()] {
		return &HandshakeError{Reason: ByPeer, Err: err}
	}
	return err
}
