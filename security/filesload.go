package security

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/internal/filewatch"
)

// loader reads the files of an identity. Only one goroutine uses it at a time.
type loader struct {
	files   *Files
	watcher *filewatch.Watcher // nil: polling only
	sum     [sha256.Size]byte  // of the files that made the present identity
	bad     string             // the problem that was logged last; empty: the files are good
}

// paths are all files in a fixed order: certificate, key, bundle, and the federated ones by name.
func (l *loader) paths() []string {
	cfg := &l.files.cfg
	paths := []string{cfg.Certificate, cfg.Key, cfg.Bundle}
	for _, td := range l.domains() {
		paths = append(paths, cfg.Federated[td])
	}
	return paths
}

func (l *loader) domains() []string { return slices.Sorted(maps.Keys(l.files.cfg.Federated)) }

// reload keeps the last good identity where there is nothing better. It logs what changes, each problem once.
func (l *loader) reload() {
	l.watcher.Follow(l.paths()...)
	before := l.files.now.Load()
	err := l.load()
	log, now := l.files.cfg.Logger, l.files.now.Load()
	switch {
	case err != nil && err.Error() != l.bad:
		l.bad = err.Error()
		log.Error("security: identity files are bad; the last good identity holds until it expires",
			"id", now.ID().String(), "not_after", now.NotAfter(), "error", err)
	case err == nil && l.bad != "":
		l.bad = ""
		log.Info("security: identity files are good again", "id", now.ID().String(), "not_after", now.NotAfter())
	case now != before:
		log.Info("security: identity renewed", "id", now.ID().String(), "not_after", now.NotAfter())
	}
}

// maxReads bounds how often files are read that change while they are read.
const maxReads = 3

// load reads the files and stores what they make, if they changed. The files are not read at one moment: where they do not
// belong together and have changed since, they are read again.
func (l *loader) load() error {
	contents, err := l.read()
	for n := 1; ; n++ {
		if err == nil {
			err = l.use(contents)
		}
		if err == nil || n == maxReads {
			return err
		}
		again, errAgain := l.read()
		if errAgain != nil || slices.EqualFunc(contents, again, bytes.Equal) {
			return err
		}
		contents, err = again, nil
	}
}

func (l *loader) read() ([][]byte, error) {
	var contents [][]byte
	for _, path := range l.paths() {
		data, err := filewatch.Read(path, maxPEM+1) // pemBlocks refuses what is longer
		if err != nil {
			return nil, err
		}
		contents = append(contents, data)
	}
	return contents, nil
}

func (l *loader) use(contents [][]byte) error {
	sum := sumOf(contents)
	if sum == l.sum && l.files.now.Load() != nil {
		return nil // as they were when they were last good
	}
	m, err := l.material(contents)
	if err != nil {
		return err
	}
	l.sum = sum
	l.files.now.Store(m)
	return nil
}

func sumOf(contents [][]byte) [sha256.Size]byte {
	var sums []byte
	for _, c := range contents {
		sum := sha256.Sum256(c)
		sums = append(sums, sum[:]...)
	}
	return sha256.Sum256(sums)
}

// material makes an identity of the files' contents. Errors name the file.
func (l *loader) material(contents [][]byte) (*Material, error) {
	cfg := &l.files.cfg
	certs, err := parseCertificates(contents[0], cfg.Certificate == cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Certificate, err)
	}
	key, err := parseKey(contents[1])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Key, err)
	}
	id, refused := identityOf(certs[0])
	if refused != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Certificate, own(refused))
	}
	bundles := make([]*x509bundle.Bundle, 1, len(contents)-2)
	if bundles[0], err = parseBundle(id.TrustDomain(), cfg.Bundle, contents[2]); err != nil {
		return nil, err
	}
	for i, name := range l.domains() {
		td, err := trustDomain(name)
		if err == nil && td == id.TrustDomain() {
			err = errors.New("that is the own trust domain, whose roots are in FilesConfig.Bundle")
		}
		if err != nil {
			return nil, fmt.Errorf("FilesConfig.Federated[%q]: %w", name, err)
		}
		b, err := parseBundle(td, cfg.Federated[name], contents[3+i])
		if err != nil {
			return nil, err
		}
		bundles = append(bundles, b)
	}
	chain := tls.Certificate{PrivateKey: key}
	for _, c := range certs {
		chain.Certificate = append(chain.Certificate, c.Raw)
	}
	m, err := newMaterial(chain, bundles)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Certificate, err)
	}
	return m, nil
}

func parseBundle(td spiffeid.TrustDomain, path string, data []byte) (*x509bundle.Bundle, error) {
	roots, err := parseCertificates(data, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x509bundle.FromX509Authorities(td, roots), nil
}
