package filewatch

import (
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/fsnotify/fsnotify"
)

// Watcher hears of changes in the directories on the way to files. Directories, because a file that is replaced is
// another file, and a symlink that is swapped is changed in the directory where it stands. A nil Watcher hears nothing,
// and works for who polls.
type Watcher struct {
	notify *fsnotify.Watcher
	way    atomic.Pointer[interest] // what matters
	merged chan struct{}
	ended  chan struct{}
}

// interest is what changes matter: those of some entries of directories, and all that happens in some directories.
type interest struct {
	entries []string
	folders []string
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

// rights says whether changes of rights are heard of: a file may be one that can be read only now. Elsewhere than on Linux
// they are left to polling, since there they look like changes of times, which reading can cause.
const rights = runtime.GOOS == "linux"

// matters leaves out the other files of the directories.
func (w *Watcher) matters(e fsnotify.Event) bool {
	way := w.way.Load()
	return (rights || e.Op != fsnotify.Chmod) && way != nil && (slices.Contains(way.folders, filepath.Dir(e.Name)) ||
		slices.ContainsFunc(way.entries, func(entry string) bool {
			return e.Name == entry || e.Name == filepath.Dir(entry) // the directory itself: it was removed or renamed
		}))
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
func (w *Watcher) Follow(paths ...string) { w.FollowAll(paths, nil) }

// FollowAll does the same, and watches everything in some directories besides: files that come and go there, too. What is in
// directories below them is not watched.
func (w *Watcher) FollowAll(paths, folders []string) {
	if w == nil {
		return
	}
	for range 3 { // the way may change before it is watched
		now := look(paths, folders)
		w.way.Store(now)
		w.watch(now)
		if again := look(paths, folders); slices.Equal(now.entries, again.entries) && slices.Equal(now.folders, again.folders) {
			return
		}
	}
}

// look finds what matters as it is now.
func look(paths, folders []string) *interest {
	i := &interest{entries: ways(paths)}
	for _, folder := range folders {
		entries := way(folder)
		i.entries = append(i.entries, entries...)
		i.folders = append(i.folders, entries[len(entries)-1]) // where the way ends: the directory itself, if it is there
	}
	return i
}

func (w *Watcher) watch(now *interest) {
	want := map[string]bool{}
	for _, entry := range now.entries {
		want[filepath.Dir(entry)] = true
	}
	for _, folder := range now.folders {
		want[folder] = true
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
