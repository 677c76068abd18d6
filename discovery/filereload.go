package discovery

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A change is read when it has rested for settle, so that a file is not read while it is being written, and at the
// latest after settleMax, so that a file that is written all the time is read at all.
const (
	settle    = 50 * time.Millisecond
	settleMax = time.Second
)

// reloader follows a file. Only its own goroutine uses it.
type reloader struct {
	file *File
	dirs *dirWatcher // nil: polling only
	sum  [sha256.Size]byte
	bad  string // the problem that was logged last; empty: the file is good
}

// run reads the file after changes and every poll, until the File is closed.
func (r *reloader) run(poll time.Duration) {
	defer close(r.file.ended)
	defer r.dirs.close()
	var tick <-chan time.Time
	if poll > 0 {
		t := time.NewTicker(poll)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-r.file.closed:
			return
		case <-r.dirs.changes():
			if !r.rest() {
				return
			}
		case <-tick:
		}
		r.reload()
	}
}

// rest waits until changes have settled, and reports whether the File is still open.
func (r *reloader) rest() bool {
	limit := time.After(settleMax)
	for {
		select {
		case <-r.file.closed:
			return false
		case <-limit:
			return true
		case <-r.dirs.changes():
		case <-time.After(settle):
			return true
		}
	}
}

// reload keeps the last good content where there is nothing better. It logs what changes, each problem once.
func (r *reloader) reload() {
	r.dirs.follow(r.file.path)
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
	data, err := readFile(r.file.path)
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

// readFile reads a regular file up to one byte above the limit, which parseFile then refuses. Anything else, such as a
// pipe or a device, could block or never end.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, errors.Join(err, f.Close())
}
