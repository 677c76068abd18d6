package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/intramesh/intramesh/internal/filewatch"
)

// reloader follows the files of a plane. Only its own goroutine uses it.
type reloader struct {
	plane   *Plane
	watcher *filewatch.Watcher // nil: polling only
	loader  loader
	base    string // the directory to which relative paths belong: a later change of it changes nothing
	bad     string // the problem that was logged last; empty: all is well
}

func newReloader(p *Plane, w *filewatch.Watcher) (*reloader, error) {
	base, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return &reloader{plane: p, watcher: w, base: base}, nil
}

// run reads the files after changes and every poll, until the plane is closed.
func (r *reloader) run(poll time.Duration) {
	defer close(r.plane.ended)
	defer r.watcher.Close()
	r.watcher.RunAhead(r.plane.closed, poll, r.prepare, r.reload)
}

// follow watches what is under the paths as it is now.
func (r *reloader) follow() {
	paths := make([]string, len(r.plane.cfg.Paths))
	for i, path := range r.plane.cfg.Paths {
		if paths[i] = filepath.Clean(path); !filepath.IsAbs(path) {
			paths[i] = filepath.Join(r.base, path)
		}
	}
	dirs, links := scan(paths)
	r.watcher.FollowAll(links, dirs)
}

// first reads the files when nothing is known yet.
func (r *reloader) first() error {
	state, findings := r.loader.load(&r.plane.cfg, r.base)
	if err := findings.Err(); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	r.warn(findings, nil)
	r.plane.now.Store(&moment{state: state, findings: findings})
	return nil
}

// prepare reads what has changed while it may still be changing: most often it has come to rest by then, and reload finds
// the work done.
func (r *reloader) prepare() { r.loader.load(&r.plane.cfg, r.base) }

// reload reads the files again. It keeps the last good state where there is nothing better, and logs what changes, each
// problem once.
func (r *reloader) reload() {
	r.follow()
	old := r.plane.now.Load()
	state, findings := r.loader.load(&r.plane.cfg, r.base)
	if err := findings.Err(); err != nil {
		r.keep(old, findings, err)
		return
	}
	r.warn(findings, old.findings)
	if r.bad != "" {
		r.bad = ""
		r.plane.cfg.Logger.Info("manifest: the manifests are good again")
	}
	if state == old.state && old.err == nil {
		return
	}
	r.plane.now.Store(&moment{state: state, findings: findings})
}

// keep goes on with what was good, and says why.
func (r *reloader) keep(old *moment, findings Findings, err error) {
	text := err.Error()
	if text == r.bad {
		return
	}
	r.bad = text
	r.plane.cfg.Logger.Error("manifest: the manifests are bad; the last good state holds", "error", err)
	next := *old
	next.findings, next.err = findings, fmt.Errorf("manifest: %w", err)
	r.plane.now.Store(&next)
}

// warn logs the warnings that are new.
func (r *reloader) warn(findings, before Findings) {
	told := make(map[Finding]bool, len(before))
	for _, f := range before {
		told[f] = true
	}
	for _, f := range findings.Warnings() {
		if !told[f] {
			r.plane.cfg.Logger.Warn("manifest: " + f.Error())
		}
	}
}
