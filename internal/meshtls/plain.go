package meshtls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/intramesh/intramesh/client/traffic"
)

// plain is TLS with a server outside of the mesh, which is known by a name and the authorities of the policy.
func plain(mode traffic.TLSMode, t *traffic.TLS, name string) (*tls.Config, error) {
	roots, err := authorities(t.CA)
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name, RootCAs: roots}
	if len(t.Names) > 0 {
		// The names take the place of the server's: crypto/tls can verify one alone.
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = verifier(roots, t.Names)
	}
	if mode != traffic.TLSMutual {
		return cfg, nil
	}
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		return nil, fmt.Errorf("TLS: Cert and Key: %w", err)
	}
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		// Read for every connection, so that one that is renewed on disk is taken.
		cert, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		return &cert, err
	}
	return cfg, nil
}

// authorities are those of a PEM file, or the system's.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("TLS: CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("TLS: CA: %s has no certificate", file)
	}
	return pool, nil
}

var errName = errors.New("intramesh: the server's certificate has none of the names that the policy asks for")

// verifier checks the chain, expiry included, and that the certificate has one of the names. It runs on resumed connections
// too, where VerifyPeerCertificate does not.
func verifier(roots *x509.CertPool, names []string) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
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
}
