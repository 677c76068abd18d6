package security_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

// lines is a log whose lines can be waited for.
type lines struct {
	slog.Handler

	t   *testing.T
	ch  chan string
	buf *bytes.Buffer
}

func newLines(t *testing.T) *lines {
	buf := &bytes.Buffer{}
	return &lines{Handler: slog.NewTextHandler(buf, nil), t: t, ch: make(chan string, 100), buf: buf}
}

func (l *lines) Handle(ctx context.Context, r slog.Record) error {
	l.buf.Reset() // one goroutine reloads and another warns, but no test makes both log
	err := l.Handler.Handle(ctx, r)
	l.ch <- l.buf.String()
	return err
}

// next is the next line, in which there must be something.
func (l *lines) next(want string) string {
	l.t.Helper()
	line := <-l.ch
	if !strings.Contains(line, want) {
		l.t.Fatalf("logged %q, want %q", line, want)
	}
	return line
}

func (l *lines) quiet() {
	l.t.Helper()
	select {
	case line := <-l.ch:
		l.t.Errorf("logged %q", line)
	default:
	}
}

// folder is a directory of PEM files, plain ones.
type folder struct {
	t   *testing.T
	dir string
	ca  *ca.CA
	log *lines
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	f := &folder{t: t, dir: t.TempDir(), ca: newCA(t, "shop"), log: newLines(t)}
	f.issue("/web")
	return f
}

func newCA(t testing.TB, td string) *ca.CA {
	t.Helper()
	c, err := ca.New(ca.Config{TrustDomain: td})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (f *folder) svid(id string) (cert, key, bundle string) {
	f.t.Helper()
	s, err := f.ca.Issue(id)
	if err != nil {
		f.t.Fatal(err)
	}
	c, k, b, err := s.PEM()
	if err != nil {
		f.t.Fatal(err)
	}
	return string(c), string(k), string(b)
}

// issue replaces all three files.
func (f *folder) issue(id string) {
	cert, key, bundle := f.svid(id)
	f.put(ca.CertificateFile, cert)
	f.put(ca.KeyFile, key)
	f.put(ca.BundleFile, bundle)
}

// put writes one file by renaming it into place.
func (f *folder) put(name, text string) {
	f.t.Helper()
	next := filepath.Join(f.dir, name+".next")
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) config() security.FilesConfig {
	cfg := ca.FilesIn(f.dir)
	cfg.Poll, cfg.Logger = -1, slog.New(f.log)
	return cfg
}

func (f *folder) open() *security.Files {
	f.t.Helper()
	files, err := security.NewFiles(f.config())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = files.Close() })
	return files
}

func TestFilesFollow(t *testing.T) {
	f := newFolder(t)
	files := f.open()
	first, changed := files.Watch()
	if first.ID().String() != "spiffe://shop/web" {
		t.Fatal(first.ID())
	}
	f.issue("/web")
	<-changed
	second, _ := files.Watch()
	if second.Certificate().Leaf.Equal(first.Certificate().Leaf) {
		t.Error("the certificate is the old one")
	}
	line := f.log.next("identity renewed")
	if !strings.Contains(line, "spiffe://shop/web") || strings.Contains(line, "KEY") {
		t.Error(line)
	}
}

// What ca.WritePEM and Kubernetes do: all files change by one rename.
func TestFilesFollowSwaps(t *testing.T) {
	f := newFolder(t)
	f.dir = filepath.Join(f.dir, "mount")
	write := func() {
		s, err := f.ca.Issue("/web")
		if err == nil {
			err = s.WritePEM(f.dir)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write()
	files := f.open()
	for range 3 {
		before, changed := files.Watch()
		write()
		<-changed
		if after, _ := files.Watch(); after.Certificate().Leaf.Equal(before.Certificate().Leaf) {
			t.Error("the certificate is the old one")
		}
		f.log.next("identity renewed")
	}
}

// Bad files keep the last good identity, each problem is logged once, and good files end it.
func TestFilesKeepTheLastGood(t *testing.T) {
	f := newFolder(t)
	files := f.open()
	first, _ := files.Watch()
	cert, key, bundle := f.svid("/web")
	_, _, otherBundle := (&folder{t: t, ca: newCA(t, "shop")}).svid("/web")
	encrypted := string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("secret")}))
	for _, step := range []struct{ file, text, want string }{
		{ca.CertificateFile, cert[:len(cert)/2], "cut off or damaged"},
		{ca.CertificateFile, "", "no PEM block"},
		{ca.CertificateFile, cert, "the key is not the one of the certificate"},
		{ca.KeyFile, encrypted, "the key is encrypted"},
		{ca.KeyFile, key[:100], "cut off or damaged"},
		{ca.BundleFile, bundle + key, "key.pem: a PEM block is cut off"}, // what comes first is told first
	} {
		f.put(step.file, step.text)
		if step.want == "key.pem: a PEM block is cut off" {
			break // the same problem as before: nothing is logged, which the next step sees
		}
		line := f.log.next(step.want)
		if !strings.Contains(line, "level=ERROR") || !strings.Contains(line, f.dir) || strings.Contains(line, "secret") {
			t.Error(line)
		}
	}
	f.put(ca.KeyFile, key)
	f.log.next("PEM block 2 is not a certificate")
	f.put(ca.BundleFile, otherBundle)
	f.log.next("no authority of its trust domain")
	if err := os.Remove(filepath.Join(f.dir, ca.BundleFile)); err != nil {
		t.Fatal(err)
	}
	f.log.next("no such file")
	if now, _ := files.Watch(); now != first {
		t.Error("the identity changed")
	}
	f.put(ca.BundleFile, bundle)
	f.log.next("good again")
	f.log.quiet()
	if now, _ := files.Watch(); now == first {
		t.Error("the identity did not change")
	}
}

func TestNewFilesErrors(t *testing.T) {
	f := newFolder(t)
	partner := filepath.Join(f.dir, "partner.pem")
	_, _, roots := (&folder{t: t, ca: newCA(t, "partner")}).svid("/x")
	f.put("partner.pem", roots)
	f.put("empty.pem", "")
	for name, c := range map[string]struct {
		change func(*security.FilesConfig)
		want   string
	}{
		"no certificate": {func(c *security.FilesConfig) { c.Certificate = "" }, "FilesConfig.Certificate is empty"},
		"no key":         {func(c *security.FilesConfig) { c.Key = "" }, "FilesConfig.Key is empty"},
		"no bundle":      {func(c *security.FilesConfig) { c.Bundle = "" }, "FilesConfig.Bundle is empty"},
		"gone":           {func(c *security.FilesConfig) { c.Key = f.dir + "/none" }, "no such file"},
		"a directory":    {func(c *security.FilesConfig) { c.Bundle = f.dir }, "not a regular file"},
		"empty":          {func(c *security.FilesConfig) { c.Bundle = f.dir + "/empty.pem" }, "empty.pem: no PEM block"},
		"mixed up":       {func(c *security.FilesConfig) { c.Bundle = c.Certificate }, "not that of an authority"},
		"another bundle": {func(c *security.FilesConfig) { c.Bundle = partner }, "no authority of its trust domain"},
		"root as own":    {func(c *security.FilesConfig) { c.Certificate = c.Bundle }, "no SPIFFE ID"},
		"federated name": {func(c *security.FilesConfig) { c.Federated = map[string]string{"a/b": partner} }, `Federated["a/b"]`},
		"federated self": {func(c *security.FilesConfig) { c.Federated = map[string]string{"shop": partner} }, "own trust domain"},
		"federated none": {func(c *security.FilesConfig) { c.Federated = map[string]string{"partner": ""} }, `Federated["partner"] is empty`},
		"federated bad":  {func(c *security.FilesConfig) { c.Federated = map[string]string{"partner": f.dir + "/empty.pem"} }, "no PEM block"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := f.config()
			c.change(&cfg)
			files, err := security.NewFiles(cfg)
			if files != nil || err == nil || !strings.HasPrefix(err.Error(), "security: files: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := security.NewFiles(security.FilesConfig{Certificate: f.dir + "/none", Key: "x", Bundle: "y"}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestFilesFederated(t *testing.T) {
	f := newFolder(t)
	_, _, roots := (&folder{t: t, ca: newCA(t, "partner")}).svid("/x")
	f.put("partner.pem", roots)
	cfg := f.config()
	cfg.Federated = map[string]string{"partner": filepath.Join(f.dir, "partner.pem")}
	files, err := security.NewFiles(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	_, changed := files.Watch()
	_, _, roots = (&folder{t: t, ca: newCA(t, "partner")}).svid("/x")
	f.put("partner.pem", roots)
	<-changed
	if m, _ := files.Watch(); len(m.TrustDomains()) != 2 {
		t.Errorf("trusts %v", m.TrustDomains())
	}
}

// One file may hold certificate and key.
func TestFilesInOne(t *testing.T) {
	f := newFolder(t)
	cert, key, bundle := f.svid("/web")
	f.put("both.pem", key+cert)
	f.put(ca.BundleFile, bundle)
	cfg := f.config()
	cfg.Certificate, cfg.Key = f.dir+"/both.pem", f.dir+"/both.pem"
	files, err := security.NewFiles(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_ = files.Close()
	_ = files.Close()
	if m, _ := files.Watch(); m == nil {
		t.Error("closing took the identity away")
	}
}
