package meshtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/intramesh/intramesh/client/traffic"
)

// plain is TLS with a server outside of the mesh, which is known by a name and the authorities of the policy. The error is
// of the policy's files, which are read anew for every connection.
func plain(mode traffic.TLSMode, t *traffic.TLS, name string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name}
	roots := &file[*x509.CertPool]{names: []string{t.CA}, parse: authorities}
	if _, err := roots.now(); err != nil {
		return nil, err
	}
	if names := t.Names; len(names) > 0 || t.CA != "" {
		// crypto/tls verifies one name alone, by authorities that stay as they are. Names take the place of the server's.
		if len(names) == 0 {
			names = []string{name}
		}
		cfg.InsecureSkipVerify = true //nolint:gosec // see verify
		cfg.VerifyConnection = func(s tls.ConnectionState) error {
			pool, err := roots.now()
			if err != nil {
				return err
			}
			return verify(s, pool, names)
		}
	}
	if mode != traffic.TLSMutual {
		return cfg, nil
	}
	pair := &file[*tls.Certificate]{names: []string{t.Cert, t.Key}, parse: certificate}
	if _, err := pair.now(); err != nil {
		return nil, err
	}
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.now() }
	return cfg, nil
}

var errName = errors.New("intramesh: the server's certificate has none of the names that the policy asks for")

// verify checks the chain, expiry included, and that the certificate has one of the names. It runs on resumed connections
// too, where VerifyPeerCertificate does not. Nil roots are the system's.
func verify(s tls.ConnectionState, roots *x509.CertPool, names []string) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("intramesh: the server has no certificate")
	}
	leaf, above := s.PeerCertificates[0], x509.NewCertPool()
	for _, c := range s.PeerCertificates[1:] {
		above.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: above}); err != nil {
		return err
	}
	if len(names) == 1 && !isURI(names[0]) {
		return leaf.VerifyHostname(names[0]) // whose error tells more
	}
	for _, u := range leaf.URIs {
		if slices.Contains(names, u.String()) {
			return nil
		}
	}
	for _, name := range names {
		if leaf.VerifyHostname(name) == nil {
			return nil
		}
	}
	return errName
}
