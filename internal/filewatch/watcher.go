package filewatch

import (
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/fsnotify/fsnotify"
)

// Watcher hears of changes in the directories on the way to files. Directories, because a file that is replaced is
// another file, and a symlink that is swapped is changed in the directory where it stands. A nil Watcher hears nothing,
// and works for who polls.
type Watcher struct {
	notify *fsnotify.Watcher
	way    atomic.Pointer[[]string] // the entries that matter
	merged chan struct{}
	ended  chan struct{}
}

// New makes a Watcher, which Close ends. It fails where the operating system has no more of them.
func New() (*Watcher, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	w := &Watcher{notify: n, merged: make(chan struct{}, 1), ended: make(chan struct{})}
	go w.run()
	return w, nil
}

// run makes one notice of many events. An error means that events were lost, which is a reason to look as well.
func (w *Watcher) run() {
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
func (w *Watcher) matters(e fsnotify.Event) bool {
	way := w.way.Load()
	return e.Op != fsnotify.Chmod && way != nil && slices.ContainsFunc(*way, func(entry string) bool {
		return e.Name == entry || e.Name == filepath.Dir(entry) // the directory itself: it was removed or renamed
	})
}

// changes has a value when something changed since the last one was taken.
func (w *Watcher) changes() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.merged
}

// Follow watches the directories on the way to the files as it is now, and no others. The paths are absolute. What cannot
// be watched is left to polling. It is called before the files are read, and again whenever they are, because the way may
// have changed.
func (w *Watcher) Follow(paths ...string) {
	if w == nil {
		return
	}
	for range 3 { // the way may change before it is watched
		entries := ways(paths)
		w.way.Store(&entries)
		w.watch(entries)
		if slices.Equal(entries, ways(paths)) {
			return
		}
	}
}

func (w *Watcher) watch(entries []string) {
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

// Close ends the Watcher and its goroutine.
func (w *Watcher) Close() {
	if w == nil {
		return
	}
	_ = w.notify.Close()
	<-w.ended
}
