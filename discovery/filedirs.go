package discovery

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fsnotify/fsnotify"
)

// maxLinks is how many symlinks are followed on the way to a file; Linux gives up after as many.
const maxLinks = 40

// dirWatcher hears of changes in the directories on the way to a file. Directories, because a file that is replaced is
// another file, and a symlink that is swapped is changed in the directory where it stands. A nil dirWatcher hears
// nothing.
type dirWatcher struct {
	notify *fsnotify.Watcher
	way    atomic.Pointer[[]string] // the entries that matter
	merged chan struct{}
	ended  chan struct{}
}

func newDirWatcher() (*dirWatcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &dirWatcher{notify: n, merged: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w, nil
}

// run makes one notice of many events. An error means that events were lost, which is a reason to look as well.
func (w *dirWatcher) run() {
	defer close(w.ended)
	for {
		select {
		case e, ok := <-w.notify.Events:
			if !ok {
				return
			}
			if !w.matters(e) {
				continue
			}
		case _, ok := <-w.notify.Errors:
			if !ok {
				return
			}
		}
		select {
		case w.merged <- struct{}{}:
		default:
		}
	}
}

// matters leaves out the other files of the directories, and changes of times, which reading can cause.
func (w *dirWatcher) matters(e fsnotify.Event) bool {
	way := w.way.Load()
	return e.Op != fsnotify.Chmod && way != nil && slices.ContainsFunc(*way, func(entry string) bool {
		return e.Name == entry || e.Name == filepath.Dir(entry) // the directory itself: it was removed or renamed
	})
}

// changes has a value when something changed since the last one was taken.
func (w *dirWatcher) changes() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.merged
}

// follow watches the directories on the way to path as it is now, and no others. Those that cannot be watched are left
// to polling.
func (w *dirWatcher) follow(path string) {
	if w == nil {
		return
	}
	for range 3 { // the way may change before it is watched
		entries := way(path)
		w.way.Store(&entries)
		w.watch(entries)
		if slices.Equal(entries, way(path)) {
			return
		}
	}
}

func (w *dirWatcher) watch(entries []string) {
	want := map[string]bool{}
	for _, entry := range entries {
		want[filepath.Dir(entry)] = true
	}
	for _, dir := range w.notify.WatchList() {
		if !want[dir] {
			_ = w.notify.Remove(dir)
		}
	}
	for dir := range want {
		_ = w.notify.Add(dir) // again, too: it may be another directory of the same name by now
	}
}

func (w *dirWatcher) close() {
	if w == nil {
		return
	}
	_ = w.notify.Close()
	<-w.ended
}

// way lists the entries of directories that decide what an absolute path leads to: each symlink on the way, and in the
// end the file, or the first thing that is missing.
func way(path string) (entries []string) {
	const root = string(filepath.Separator)
	done, todo := root, strings.Split(path, root)
	for links := 0; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..": // of the directory that was reached, where no symlink is left
			done = filepath.Dir(done)
			continue
		}
		at := filepath.Join(done, name)
		target, err := os.Readlink(at)
		switch {
		case err == nil && links < maxLinks:
			links++
			entries = append(entries, at)
			if filepath.IsAbs(target) {
				done = root
			}
			todo = append(strings.Split(target, root), todo...)
		case errors.Is(err, fs.ErrNotExist):
			return append(entries, at)
		default:
			done = at
		}
	}
	return append(entries, done)
}
