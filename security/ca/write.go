package ca

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/intramesh/intramesh/security"
)

// The names of the files that [SVID.WritePEM] writes.
const (
	CertificateFile = "cert.pem"
	KeyFile         = "key.pem"
	BundleFile      = "bundle.pem"
)

// FilesIn is the config by which a process reads what [SVID.WritePEM] wrote to dir.
func FilesIn(dir string) security.FilesConfig {
	return security.FilesConfig{
		Certificate: filepath.Join(dir, CertificateFile),
		Key:         filepath.Join(dir, KeyFile),
		Bundle:      filepath.Join(dir, BundleFile),
	}
}

// WritePEM writes [CertificateFile], [KeyFile] and [BundleFile] to a directory, which it makes if need be. Only the
// user who wrote them can read them. All three change at once: they are symlinks into a directory of their own that is swapped, as
// Kubernetes does with Secrets. Calls for the same directory must not overlap.
func (s *SVID) WritePEM(dir string) error {
	if err := s.writePEM(dir); err != nil {
		return fmt.Errorf("ca: write %s: %w", s.ID, err)
	}
	return nil
}

// current is the symlink that is swapped, and the prefix of the directories that it leads to.
const current = "..data"

func (s *SVID) writePEM(dir string) error {
	cert, key, bundle, err := s.PEM()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	next, err := os.MkdirTemp(dir, current+"_")
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
		mode fs.FileMode
	}{{CertificateFile, cert, 0o644}, {KeyFile, key, 0o600}, {BundleFile, bundle, 0o644}} {
		err = errors.Join(err, os.WriteFile(filepath.Join(next, f.name), f.data, f.mode))
	}
	if err == nil {
		err = swap(dir, next)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(next))
	}
	return tidy(dir, next)
}

// swap makes the files of next those of dir, by one rename.
func swap(dir, next string) error {
	if err := link(filepath.Base(next), filepath.Join(dir, current)); err != nil {
		return err
	}
	for _, name := range []string{CertificateFile, KeyFile, BundleFile} {
		target := filepath.Join(current, name)
		if now, err := os.Readlink(filepath.Join(dir, name)); err == nil && now == target {
			continue
		}
		if err := link(target, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// link makes a symlink in the place of whatever file or symlink was there.
func link(target, path string) error {
	temp := path + "_next"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// tidy removes the directories that nothing leads to any more, those of a writer that was interrupted too.
func tidy(dir, keep string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), current+"_") && e.Name() != filepath.Base(keep) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
