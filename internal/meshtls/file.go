package meshtls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// file is what files of the policy say: all of them together, a certificate and its key for one. They are read at each
// look, so that what is renewed on disk is taken. While they cannot be read or do not go together, as in the middle of being
// written, what they said last holds.
type file[T any] struct {
	names []string
	parse func(names []string, texts [][]byte) (T, error)

	mu    sync.Mutex
	texts [][]byte // of value
	value T
}

// now is what the files say, or said last; an error where they never said anything.
func (f *file[T]) now() (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	texts, err := read(f.names)
	if err == nil && f.texts != nil && same(texts, f.texts) {
		return f.value, nil
	}
	var next T
	if err == nil {
		next, err = f.parse(f.names, texts)
	}
	switch {
	case err == nil:
		f.texts, f.value = texts, next
	case f.texts == nil:
		return next, fmt.Errorf("TLS: %w", err)
	}
	return f.value, nil
}

func read(names []string) ([][]byte, error) {
	texts := make([][]byte, len(names))
	for i, name := range names {
		if name == "" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return texts, nil
}

func same(a, b [][]byte) bool {
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// authorities are those of a PEM file; nil, for the system's, where there is none.
func authorities(names []string, texts [][]byte) (*x509.CertPool, error) {
	if names[0] == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(texts[0]) {
		return nil, fmt.Errorf("CA: %s has no certificate", names[0])
	}
	return pool, nil
}

// certificate is this side's.
func certificate(names []string, texts [][]byte) (*tls.Certificate, error) {
	if names[0] == "" || names[1] == "" {
		return nil, errors.New("fields Cert and Key: both are needed")
	}
	cert, err := tls.X509KeyPair(texts[0], texts[1])
	if err != nil {
		return nil, fmt.Errorf("fields Cert and Key: %s and %s: %w", names[0], names[1], err)
	}
	return &cert, nil
}

func isURI(name string) bool { return strings.Contains(name, "://") }
