package security

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// keys are private keys in all forms that are read, by name.
func keys(t testing.TB) map[string]string {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{"RSA, PKCS #1": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs))}
	for name, key := range map[string]any{"EC": ec, "RSA": rs, "Ed25519": ed} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		made[name] = block("PRIVATE KEY", der)
	}
	der, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	made["EC, SEC 1"] = block("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}) + block("EC PRIVATE KEY", der)
	return made
}

func certificate(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", der)
}

func TestParseKey(t *testing.T) {
	all, cert := keys(t), certificate(t)
	for name, text := range all {
		for _, data := range []string{text, "subject=CN\n" + text + "\nthe end", cert + text, strings.ReplaceAll(text, "\n", "\r\n")} {
			if _, err := parseKey([]byte(data)); err != nil {
				t.Errorf("%s: %v in %s", name, err, data)
			}
		}
	}
	ec := all["EC"]
	legacy := "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n"
	for name, c := range map[string]struct{ data, want string }{
		"empty":           {"", "no PEM block"},
		"text":            {"secret", "no PEM block"},
		"DER":             {"\x30\x82\x01\x01", "no PEM block"},
		"certificate":     {cert, "no key"},
		"two":             {ec + ec, "more than one key"},
		"cut off":         {ec[:len(ec)/2], "cut off"},
		"cut off at end":  {ec[:len(ec)-10], "cut off"},
		"second cut off":  {ec + "-----BEGIN PRIVATE", "cut off"},
		"damaged":         {strings.Replace(ec, "\nM", "\n!", 1), "cut off or damaged"},
		"wrong content":   {block("PRIVATE KEY", []byte("secret")), "the key is damaged"},
		"wrong form":      {strings.ReplaceAll(all["RSA, PKCS #1"], "RSA ", "EC "), "the key is damaged"},
		"encrypted":       {block("ENCRYPTED PRIVATE KEY", []byte("secret")), "the key is encrypted"},
		"encrypted, old":  {legacy, "the key is encrypted"},
		"other form":      {block("OPENSSH PRIVATE KEY", []byte("secret")), "PKCS #8"},
		"something other": {block("PUBLIC KEY", []byte("x")), "neither"},
		"too large":       {strings.Repeat(" ", maxPEM+1), "larger than 1 MiB"},
	} {
		key, err := parseKey([]byte(c.data))
		if key != nil || err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestParseCertificates(t *testing.T) {
	key, a, b := keys(t)["EC"], certificate(t), certificate(t)
	if list, err := parseCertificates([]byte(a+"text\n"+b), false); len(list) != 2 || err != nil {
		t.Errorf("got %d, %v", len(list), err)
	}
	if list, err := parseCertificates([]byte(key+a), true); len(list) != 1 || err != nil {
		t.Errorf("got %d, %v", len(list), err)
	}
	for name, c := range map[string]struct {
		data    string
		withKey bool
		want    string
	}{
		"empty":             {"", false, "no PEM block"},
		"cut off":           {a + b[:len(b)/2], false, "cut off"},
		"damaged in middle": {a + strings.Replace(b, "\nM", "\n!", 1) + a, false, "damaged"},
		"key":               {a + key, false, "PEM block 2 is not a certificate"},
		"key alone":         {key, true, "no certificate"},
		"request":           {block("CERTIFICATE REQUEST", []byte("x")), true, "not a certificate"},
		"wrong content":     {a + block("CERTIFICATE", []byte("x")), false, "certificate 2: x509"},
	} {
		list, err := parseCertificates([]byte(c.data), c.withKey)
		if list != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// Nothing that is read makes the parsers panic, and no error tells of a key.
func FuzzPEM(f *testing.F) {
	cert := certificate(f)
	for _, key := range keys(f) {
		f.Add([]byte(key))
		f.Add([]byte(cert + key))
	}
	f.Add([]byte(cert[:len(cert)/2]))
	f.Add([]byte("-----BEGIN A-----\n-----END A-----\n-----BEGIN "))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n-----END PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := parseKey(data); (key == nil) == (err == nil) {
			t.Errorf("key: %v, %v", key, err)
		} else if err != nil && len(err.Error()) > 100 {
			t.Errorf("an error of a key says much: %v", err)
		}
		for _, withKey := range []bool{false, true} {
			certs, err := parseCertificates(data, withKey)
			if (len(certs) == 0) == (err == nil) {
				t.Errorf("certificates: %d, %v", len(certs), err)
			}
			if err == nil && bytes.Count(data, []byte("-----BEGIN CERTIFICATE-----")) < len(certs) {
				t.Errorf("%d certificates", len(certs))
			}
		}
	})
}
