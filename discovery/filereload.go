package discovery

import (
	"crypto/sha256"
	"time"

	"github.com/intramesh/intramesh/internal/filewatch"
)

// reloader follows a file. Only its own goroutine uses it.
type reloader struct {
	file *File
	dirs *filewatch.Watcher // nil: polling only
	sum  [sha256.Size]byte
	bad  string // the problem that was logged last; empty: the file is good
}

// run reads the file after changes and every poll, until the File is closed.
func (r *reloader) run(poll time.Duration) {
	defer close(r.file.ended)
	defer r.dirs.Close()
	r.dirs.Run(r.file.closed, poll, r.reload)
}

// reload keeps the last good content where there is nothing better. It logs what changes, each problem once.
func (r *reloader) reload() {
	r.dirs.Follow(r.file.path)
	err := r.load()
	switch {
	case err != nil && err.Error() != r.bad:
		r.bad = err.Error()
		r.file.log.Error("discovery: endpoint file is bad; the last good state holds", "path", r.file.path, "error", err)
	case err == nil && r.bad != "":
		r.bad = ""
		r.file.log.Info("discovery: endpoint file is good again", "path", r.file.path)
	}
}

// load reads the file and stores its content if it changed.
func (r *reloader) load() error {
	data, err := filewatch.Read(r.file.path, maxFile+1) // parseFile refuses what is longer
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if sum == r.sum && r.file.content.Load() != nil {
		return nil // as it was when it was last good
	}
	services, err := parseFile(r.file.path, data)
	if err != nil {
		return err
	}
	r.sum = sum
	r.file.content.Store(&services)
	return nil
}
