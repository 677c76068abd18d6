package security

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// maxPEM is the largest file that is read: some hundred roots.
const maxPEM = 1 << 20

// pemBlocks reads all blocks of a file. Text between them is let pass, as openssl writes it; a block that is cut off or
// damaged, which package pem would skip, is an error.
func pemBlocks(data []byte) ([]*pem.Block, error) {
	if len(data) > maxPEM {
		return nil, fmt.Errorf("larger than %d MiB", maxPEM>>20)
	}
	begun := bytes.Count(data, []byte("-----BEGIN "))
	var blocks []*pem.Block
	for {
		b, rest := pem.Decode(data)
		if b == nil {
			break
		}
		blocks = append(blocks, b)
		data = rest
	}
	switch {
	case begun == 0:
		return nil, errors.New("no PEM block")
	case len(blocks) != begun:
		return nil, errors.New("a PEM block is cut off or damaged")
	}
	return blocks, nil
}

// parseCertificates reads a file of certificates. A key beside them is let pass only where the file is the key's as well.
func parseCertificates(data []byte, withKey bool) ([]*x509.Certificate, error) {
	blocks, err := pemBlocks(data)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for i, b := range blocks {
		if withKey && besideCertificates(b.Type) {
			continue
		}
		if b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block %d is not a certificate", i+1)
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(certs)+1, err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("no certificate")
	}
	return certs, nil
}

func besideCertificates(kind string) bool {
	return strings.HasSuffix(kind, "PRIVATE KEY") || kind == "EC PARAMETERS"
}

// parseKey reads the one key of a file: PKCS #8, or the older forms of RSA and EC keys. Certificates beside it are let
// pass. Errors say nothing of the content.
func parseKey(data []byte) (crypto.Signer, error) {
	blocks, err := pemBlocks(data)
	if err != nil {
		return nil, err
	}
	var key crypto.Signer
	for _, b := range blocks {
		switch {
		case b.Type == "CERTIFICATE", b.Type == "EC PARAMETERS":
			continue
		case !strings.HasSuffix(b.Type, "PRIVATE KEY"):
			return nil, errors.New("a PEM block is neither a key nor a certificate")
		case key != nil:
			return nil, errors.New("more than one key")
		}
		if key, err = parseKeyBlock(b); err != nil {
			return nil, err
		}
	}
	if key == nil {
		return nil, errors.New("no key")
	}
	return key, nil
}

func parseKeyBlock(b *pem.Block) (crypto.Signer, error) {
	if b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, errors.New("the key is encrypted")
	}
	var key any
	var err error
	switch b.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(b.Bytes)
	default:
		return nil, errors.New("a key of a form that is not supported; PKCS #8 is")
	}
	if err != nil {
		return nil, errors.New("the key is damaged or of a kind that is not supported")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", key)
	}
	return signer, nil
}
