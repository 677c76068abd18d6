package ca_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

func TestWritePEM(t *testing.T) {
	c := newCA(t, ca.Config{})
	dir := filepath.Join(t.TempDir(), "a", "b")
	for range 3 {
		s, err := c.Issue("/web")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.WritePEM(dir); err != nil {
			t.Fatal(err)
		}
		f, err := security.NewFiles(ca.FilesIn(dir))
		if err != nil {
			t.Fatal(err)
		}
		if m := now(f); !m.Certificate().Leaf.Equal(s.Certificate.Leaf) {
			t.Error("another certificate")
		}
		_ = f.Close()
		for name, mode := range map[string]os.FileMode{ca.CertificateFile: 0o644, ca.KeyFile: 0o600, ca.BundleFile: 0o644} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != mode {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 5 { // three files, ..data, and where it leads
			t.Errorf("%v, %v", entries, err)
		}
	}
}

// What lies in the way is replaced if it is a file, also what an interrupted writer left, and an error if it is not.
func TestWritePEMInTheWay(t *testing.T) {
	c := newCA(t, ca.Config{})
	s, err := c.Issue("/web")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{ca.CertificateFile, "..data_next", ca.KeyFile + "_next"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "..data_old"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.WritePEM(dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 5 {
		t.Errorf("%v, %v", entries, err)
	}
	if err := s.WritePEM(filepath.Join(dir, ca.CertificateFile)); err == nil || !strings.HasPrefix(err.Error(), "ca: write spiffe://shop/web: ") {
		t.Error(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "x", ca.KeyFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.WritePEM(filepath.Join(dir, "x")); err == nil {
		t.Error("wrote over a directory")
	}
}
