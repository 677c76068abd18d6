package discovery_test

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// orders is a file that lists one endpoint.
func orders(addr string) string { return fmt.Sprintf("services:\n  orders:\n    - %s\n", addr) }

func do(t *testing.T, steps ...error) {
	t.Helper()
	for _, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// mount lays out a volume as Kubernetes does: dir/endpoints.yaml -> ..data/endpoints.yaml, ..data -> ..version.
func mount(dir, version, addr string) error {
	if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, version, "endpoints.yaml"), orders(addr)); err != nil {
		return err
	}
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, "..data"))
}

// A file changes in many ways, and all are noticed without polling.
func TestFileNoticesChanges(t *testing.T) {
	for name, c := range map[string]struct {
		before func(dir string) error // lists h:1
		change func(dir string) error // and h:2 now
	}{
		"written in place": {
			func(dir string) error { return write(dir+"/endpoints.yaml", orders("h:1")) },
			func(dir string) error { return write(dir+"/endpoints.yaml", orders("h:2")) },
		},
		"renamed into place": {
			func(dir string) error { return write(dir+"/endpoints.yaml", orders("h:1")) },
			func(dir string) error {
				return sequence(write(dir+"/.swp", orders("h:2")), os.Rename(dir+"/.swp", dir+"/endpoints.yaml"))
			},
		},
		"deleted and created": {
			func(dir string) error { return write(dir+"/endpoints.yaml", orders("h:1")) },
			func(dir string) error {
				return sequence(os.Remove(dir+"/endpoints.yaml"), write(dir+"/endpoints.yaml", orders("h:2")))
			},
		},
		"symlink swapped": {
			func(dir string) error {
				return sequence(write(dir+"/one", orders("h:1")), write(dir+"/two", orders("h:2")), os.Symlink("one", dir+"/endpoints.yaml"))
			},
			func(dir string) error {
				return sequence(os.Symlink("two", dir+"/next"), os.Rename(dir+"/next", dir+"/endpoints.yaml"))
			},
		},
		"target of a symlink elsewhere": {
			func(dir string) error {
				return sequence(os.Mkdir(dir+"/far", 0o700), write(dir+"/far/one", orders("h:1")), os.Symlink("far/../far/one", dir+"/endpoints.yaml"))
			},
			func(dir string) error { return write(dir+"/far/one", orders("h:2")) },
		},
		"ConfigMap": {
			func(dir string) error {
				return sequence(mount(dir, "..2026_1", "h:1"), os.Symlink("..data/endpoints.yaml", dir+"/endpoints.yaml"))
			},
			func(dir string) error {
				return sequence(mount(dir, "..2026_2", "h:2"), os.RemoveAll(dir+"/..2026_1"))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			do(t, c.before(dir))
			f := open(t, dir+"/endpoints.yaml")
			w := follow(t, f, "orders")
			w.is(discovery.Set, "h:1")
			do(t, c.change(dir))
			w.reaches("h:2")
			w.stop()
		})
	}
}

// sequence is the first error of steps, which were done in order.
func sequence(steps ...error) error {
	for _, err := range steps {
		if err != nil {
			return err
		}
	}
	return nil
}

// open makes a source that does not poll.
func open(t *testing.T, path string) *discovery.File {
	t.Helper()
	f, err := discovery.NewFile(discovery.FileConfig{Path: path, Poll: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Swapping goes on for ever: the directories that are watched follow the symlinks.
func TestFileFollowsManySwaps(t *testing.T) {
	dir := t.TempDir()
	do(t, mount(dir, "..0", "h:1000"), os.Symlink("..data/endpoints.yaml", dir+"/endpoints.yaml"))
	w := follow(t, open(t, dir+"/endpoints.yaml"), "orders")
	w.is(discovery.Set, "h:1000")
	for i := 1; i < 5; i++ {
		addr := fmt.Sprintf("h:%d", 1000+i)
		do(t, mount(dir, fmt.Sprintf("..%d", i), addr), os.RemoveAll(fmt.Sprintf("%s/..%d", dir, i-1)))
		w.reaches(addr)
		do(t, write(dir+"/..data/endpoints.yaml", orders("h:1"))) // in the directory that is new
		w.reaches("h:1")
	}
	w.stop()
}

// A directory that is removed and comes back is noticed where it stood.
func TestFileOutlivesItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etc")
	e := &endpointFile{t: t, path: dir + "/endpoints.yaml", logs: newLogged(t)}
	do(t, os.Mkdir(dir, 0o700), write(e.path, orders("h:1")))
	w := follow(t, e.open(t), "orders")
	w.is(discovery.Set, "h:1")
	do(t, os.RemoveAll(dir))
	e.logs.until("is bad")
	do(t, os.Mkdir(dir, 0o700), write(e.path, orders("h:2")))
	w.is(discovery.Set, "h:2")
	w.stop()
}

// Watches hear of changes of their service only, and of small changes as differences.
func TestFileReportsWhatChanged(t *testing.T) {
	e := newEndpointFile(t, nil)
	const head = "services:\n  a: [h:1, h:2, h:3, h:4]\n"
	e.write([]byte(head + "  b: [h:9]\n"))
	f := e.open(t)
	a, b := follow(t, f, "a"), follow(t, f, "b")
	a.is(discovery.Set, "h:1", "h:2", "h:3", "h:4")
	b.is(discovery.Set, "h:9")
	e.write([]byte(head))
	b.is(discovery.Absent)
	e.write([]byte(head + "  b: []\n"))
	b.is(discovery.Set)
	e.write([]byte("services:\n  a: [h:1, {addr: h:2, zone: z}, h:3, h:4]\n  b: [h:9]\n"))
	b.is(discovery.Set, "h:9")
	if u := a.is(discovery.Diff, "h:1", "h:2", "h:3", "h:4"); len(u.Endpoints) != 1 || u.Endpoints[0].Zone != "z" {
		t.Errorf("heard %+v", u)
	}
	a.quiet()
	a.stop()
	b.stop()
}

func TestFileKeepsTheLastGoodState(t *testing.T) {
	e := newEndpointFile(t, nil)
	e.write([]byte(orders("h:1")))
	w := follow(t, e.open(t), "orders")
	w.is(discovery.Set, "h:1")
	e.write([]byte("services: {orders: [h:2"))
	e.logs.until("is bad")
	e.write([]byte("services: {orders: [{addr: h:2, wait: 3}]}"))
	if line := e.logs.until("is bad"); !strings.Contains(line, e.path+`:1: services.orders[0]: unknown field "wait"`) {
		t.Errorf("logged %q", line)
	}
	do(t, os.Remove(e.path))
	e.logs.until("no such file")
	w.quiet()
	e.write([]byte(orders("h:3")))
	e.logs.until("is good again")
	w.is(discovery.Set, "h:3")
	w.stop()
}

func TestNewFileErrors(t *testing.T) {
	dir := t.TempDir()
	do(t, write(dir+"/bad.yaml", "services: 1"), syscall.Mkfifo(dir+"/pipe", 0o600), os.Symlink("loop", dir+"/loop"))
	for path, want := range map[string]string{
		"":                "Path is empty",
		dir + "/none":     "no such file",
		dir + "/bad.yaml": "bad.yaml:1: services",
		dir:               "not a regular file",
		dir + "/pipe":     "not a regular file",
		dir + "/loop":     "too many",
	} {
		f, err := discovery.NewFile(discovery.FileConfig{Path: path})
		if f != nil || err == nil || !strings.HasPrefix(err.Error(), "discovery: file: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; expected something of %q", path, f, err, want)
		}
	}
}

func TestFileClose(t *testing.T) {
	e := newEndpointFile(t, nil)
	e.write([]byte(orders("h:1")))
	f := e.open(t)
	w := follow(t, f, "orders")
	w.is(discovery.Set, "h:1")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.endsWith(fs.ErrClosed)
	late := follow(t, f, "orders")
	late.endsWith(fs.ErrClosed)
	late.quiet()
}
