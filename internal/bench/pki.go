package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

// pki is mutual TLS set up by hand: one authority, and a certificate for each side.
type pki struct {
	roots          *x509.CertPool
	client, server tls.Certificate
}

func newPKI() (*pki, error) {
	ca := &x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "bench"},
	}
	authority, err := issue(ca, nil)
	if err != nil {
		return nil, err
	}
	p := &pki{roots: x509.NewCertPool()}
	p.roots.AddCert(authority.Leaf)
	leaf := func(usage x509.ExtKeyUsage) *x509.Certificate {
		return &x509.Certificate{
			DNSNames: []string{service, "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		}
	}
	if p.client, err = issue(leaf(x509.ExtKeyUsageClientAuth), &authority); err != nil {
		return nil, err
	}
	p.server, err = issue(leaf(x509.ExtKeyUsageServerAuth), &authority)
	return p, err
}

// issue makes a key and a certificate for it, signed by the authority, or by itself where there is none.
func issue(template *x509.Certificate, by *tls.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	parent, signer := template, key
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey.(*ecdsa.PrivateKey)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, err
}

func (p *pki) clientTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: p.roots, Certificates: []tls.Certificate{p.client},
		ServerName: service,
	}
}

func (p *pki) serverTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientCAs: p.roots, ClientAuth: tls.RequireAndVerifyClientCert,
		Certificates: []tls.Certificate{p.server},
	}
}
