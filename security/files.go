package security

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"github.com/intramesh/intramesh/internal/filewatch"
	"github.com/intramesh/intramesh/internal/snapshot"
)

// FilesConfig says which PEM files [Files] reads.
type FilesConfig struct {
	// Certificate is the file of the own certificate, and after it those between it and a root. It is needed.
	Certificate string
	// Key is the file of its key, not encrypted. It may be the same file. It is needed.
	Key string
	// Bundle is the file of the roots of the own trust domain, which is that of the certificate's SPIFFE ID. It is needed.
	Bundle string
	// Federated are the files of the roots of other trust domains whose members are trusted too, by the domain's name.
	Federated map[string]string
	// Poll is how often the files are read even when the operating system says nothing of a change, as happens on network
	// file systems. 0: 30 s; negative: never.
	Poll time.Duration
	// Logger hears when the files are bad and good again, of new certificates, and of those that are about to expire.
	// Nil: [slog.Default].
	Logger *slog.Logger
}

// Files is an [Identity] in PEM files, which are read again when they change, in whatever way: written in place, renamed
// into place, or behind symlinks that are swapped, as a Kubernetes Secret is. Changes count when they have rested for 50
// ms.
//
// Reading is strict, see [NewMaterial]. Files that are half-written, do not belong together, are encrypted, expired or
// gone keep the last good identity until it expires; each such problem is logged once, and so is its end. That the roots
// no longer vouch for the own certificate is such a problem too, so a root goes after the certificates that it signed.
//
// From half of a certificate's life on, the log warns that it was not renewed, see the levels at 50 %, 80 % and 95 % of
// its life, and when it has expired. [Material.NotAfter] is what a metric should show.
//
// Close ends it.
type Files struct {
	cfg FilesConfig // with absolute paths
	now snapshot.Value[Material]

	closing sync.Once
	closed  chan struct{}
	tasks   sync.WaitGroup
}

var _ Identity = (*Files)(nil)

// NewFiles reads the files and begins to follow them. Files that cannot be read, or do not make a valid identity, are an
// error.
func NewFiles(cfg FilesConfig) (*Files, error) {
	f, err := newFiles(cfg)
	if err != nil {
		return nil, fmt.Errorf("security: files: %w", err)
	}
	return f, nil
}

func newFiles(cfg FilesConfig) (*Files, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	w, err := filewatch.New()
	if err != nil { // out of inotify instances, say: no reason not to work
		cfg.Logger.Warn("security: no notice of file changes; polling", "error", err)
	}
	f := &Files{cfg: cfg, closed: make(chan struct{})}
	l := &loader{files: f, watcher: w}
	w.Follow(l.paths()...) // before they are read, so that no change falls in between
	if err := l.load(); err != nil {
		w.Close()
		return nil, err
	}
	f.tasks.Go(func() {
		defer w.Close()
		w.Run(f.closed, cfg.Poll, l.reload)
	})
	f.tasks.Go(func() { warn(f, cfg.Logger, f.closed) })
	return f, nil
}

// complete applies the defaults, and makes paths absolute, so that a later change of directory changes nothing.
func (cfg FilesConfig) complete() (FilesConfig, error) {
	if cfg.Poll == 0 {
		cfg.Poll = 30 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	cfg.Federated = maps.Clone(cfg.Federated)
	for _, p := range []struct {
		name string
		path *string
	}{{"Certificate", &cfg.Certificate}, {"Key", &cfg.Key}, {"Bundle", &cfg.Bundle}} {
		if err := makeAbsolute("FilesConfig."+p.name, p.path); err != nil {
			return cfg, err
		}
	}
	for td, path := range cfg.Federated {
		if err := makeAbsolute(fmt.Sprintf("FilesConfig.Federated[%q]", td), &path); err != nil {
			return cfg, err
		}
		cfg.Federated[td] = path
	}
	return cfg, nil
}

func makeAbsolute(field string, path *string) error {
	if *path == "" {
		return fmt.Errorf("%s is empty", field)
	}
	abs, err := filepath.Abs(*path)
	if err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	*path = abs
	return nil
}

// Watch returns the identity in the files, and a channel that is closed when it has been replaced.
func (f *Files) Watch() (*Material, <-chan struct{}) { return f.now.Watch() }

// Close stops following the files. The last identity stays until it expires. It may be called many times.
func (f *Files) Close() error {
	f.closing.Do(func() { close(f.closed) })
	f.tasks.Wait()
	return nil
}
