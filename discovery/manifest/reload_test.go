package manifest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// at is a service with one endpoint.
func at(addr string) string {
	return entryText("{hosts: [orders], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http}], endpoints: [{address: " + addr + "}]}")
}

// news are the updates of a watch.
func news(t *testing.T, p *Plane, service string) <-chan discovery.Update {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ch, done := make(chan discovery.Update, 100), make(chan struct{})
	go func() {
		defer close(done)
		_ = p.Watch(ctx, service, func(u discovery.Update) { ch <- u })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return ch
}

// until waits until a service is at an address and nowhere else.
func until(t *testing.T, ch <-chan discovery.Update, addr string) {
	t.Helper()
	var set []discovery.Endpoint
	for u := range ch {
		if set = u.Apply(set); len(set) == 1 && set[0].Addr == addr {
			return
		}
	}
}

func write(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// mount lays out a volume as Kubernetes does: dir/orders.yaml -> ..data/orders.yaml, ..data -> ..version.
func mount(dir, version, addr string) error { return mountAs(dir, version, "orders.yaml", addr) }

// mountDeep does the same where an item has the path sub/orders.yaml: dir/sub -> ..data/sub.
func mountDeep(dir, version, addr string) error {
	return mountAs(dir, version, "sub/orders.yaml", addr)
}

func mountAs(dir, version, item, addr string) error {
	path := filepath.Join(dir, version, item)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := write(path, at(addr)); err != nil {
		return err
	}
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, "..data"))
}

// Whatever ways lead to a file, it is read once.
func TestManyWaysToAFile(t *testing.T) {
	dir := t.TempDir()
	if err := sequence(os.MkdirAll(dir+"/a/b", 0o700), write(dir+"/a/b/x.yaml", at("10.0.0.1")),
		os.Symlink("..", dir+"/a/b/up"), os.Symlink(".", dir+"/a/here"), os.Symlink("b", dir+"/a/c"), os.Symlink("a", dir+"/z")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, paths := range [][]string{
		{dir}, {"."}, {"a", "a/b"}, {"a/b", "a"}, {"a", dir + "/a"}, {"z", "a"}, {"a/b/x.yaml", "a"}, {"a", "a/c/x.yaml"}, {"a/c", "z/b/up"},
	} {
		s, found := Load(Config{Paths: paths})
		if len(found) > 0 || s == nil || len(s.Objects) != 1 {
			t.Errorf("%q: found %v", paths, found)
		}
		if dirs, _ := scan(paths); len(dirs) > 12 {
			t.Errorf("%q: %d folders are watched", paths, len(dirs))
		}
	}
	if err := os.Mkdir(dir+"/empty", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, found := Load(Config{Paths: []string{"a", "empty"}}); found.Err() == nil || !strings.Contains(found.Err().Error(), "empty: no file in this folder") {
		t.Errorf("found %v", found)
	}
}

func sequence(steps ...error) error {
	for _, err := range steps {
		if err != nil {
			return err
		}
	}
	return nil
}

// Manifests change in many ways, and all are noticed without polling.
func TestChangesAreNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		before func(dir string) error // orders is at 10.0.0.1
		change func(dir string) error // and at 10.0.0.2 now
	}{
		"written in place": {
			func(dir string) error { return write(dir+"/a.yaml", at("10.0.0.1")) },
			func(dir string) error { return write(dir+"/a.yaml", at("10.0.0.2")) },
		},
		"renamed into place": {
			func(dir string) error { return write(dir+"/a.yaml", at("10.0.0.1")) },
			func(dir string) error {
				return sequence(write(dir+"/.swp", at("10.0.0.2")), os.Rename(dir+"/.swp", dir+"/a.yaml"))
			},
		},
		"moved aside and written anew": {
			func(dir string) error { return write(dir+"/a.yaml", at("10.0.0.1")) },
			func(dir string) error {
				return sequence(os.Rename(dir+"/a.yaml", dir+"/a.yaml~"), write(dir+"/a.yaml", at("10.0.0.2")))
			},
		},
		"another file": {
			func(dir string) error { return write(dir+"/a.yaml", at("10.0.0.1")) },
			func(dir string) error { return sequence(os.Remove(dir+"/a.yaml"), write(dir+"/b.yml", at("10.0.0.2"))) },
		},
		"another folder": {
			func(dir string) error { return write(dir+"/a.yaml", at("10.0.0.1")) },
			func(dir string) error {
				return sequence(os.Mkdir(dir+"/sub", 0o700), write(dir+"/sub/a.yaml", at("10.0.0.2")), os.Remove(dir+"/a.yaml"))
			},
		},
		"in a folder below": {
			func(dir string) error {
				return sequence(os.MkdirAll(dir+"/x/y", 0o700), write(dir+"/x/y/a.yaml", at("10.0.0.1")))
			},
			func(dir string) error { return write(dir+"/x/y/a.yaml", at("10.0.0.2")) },
		},
		"ConfigMap": {
			func(dir string) error {
				return sequence(mount(dir, "..1", "10.0.0.1"), os.Symlink("..data/orders.yaml", dir+"/orders.yaml"))
			},
			func(dir string) error { return mount(dir, "..2", "10.0.0.2") },
		},
		"ConfigMap with folders": {
			func(dir string) error {
				return sequence(mountDeep(dir, "..1", "10.0.0.1"), os.Symlink("..data/sub", dir+"/sub"))
			},
			func(dir string) error { return mountDeep(dir, "..2", "10.0.0.2") },
		},
		"behind a link": {
			func(dir string) error {
				return sequence(os.Mkdir(dir+"/.far", 0o700), write(dir+"/.far/x", at("10.0.0.1")), os.Symlink(".far/x", dir+"/a.yaml"))
			},
			func(dir string) error { return write(dir+"/.far/x", at("10.0.0.2")) },
		},
		"the folder is another": {
			func(dir string) error { return write(dir+"/a.yaml", at("10.0.0.1")) },
			func(dir string) error {
				return sequence(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o700), write(dir+"/a.yaml", at("10.0.0.2")))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.dir = filepath.Join(f.dir, "mesh")
			f.do(os.Mkdir(f.dir, 0o700), c.before(f.dir))
			ch := news(t, f.open(), "orders")
			until(t, ch, "10.0.0.1:80")
			f.do(c.change(f.dir))
			until(t, ch, "10.0.0.2:80")
		})
	}
}

// TestBadManifests keep the last good state. Watchers hear why, and the log has the place.
func TestBadManifests(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(f *folder)
		want  string
	}{
		"broken":       {func(f *folder) { f.put("a.yaml", "a: [") }, "a.yaml:1: not YAML"},
		"wrong":        {func(f *folder) { f.put("a.yaml", strings.Replace(at("x"), "hosts", "host", 1)) }, `a.yaml:4: ServiceEntry/x: spec.host: unknown field, did you mean "hosts"?`},
		"half-written": {func(f *folder) { f.put("a.yaml", at("10.0.0.2")[:80]) }, "a.yaml:"},
		"cut off":      {func(f *folder) { f.do(os.Truncate(f.dir+"/a.yaml", 0)) }, "a.yaml: empty; where that is meant, a comment says so"},
		"not UTF-8":    {func(f *folder) { f.put("a.yaml", at("10.0.0.2")+"# \xff") }, "a.yaml:5: not UTF-8"},
		"emptied":      {func(f *folder) { f.remove("a.yaml") }, "no file in this folder ends in"},
		"vanished":     {func(f *folder) { f.do(os.Rename(f.dir, f.dir+".gone")) }, "no such file or directory"},
		"another file": {func(f *folder) { f.put("b.yaml", at("10.0.0.2")) }, "is there twice, first in"},
		"too large":    {func(f *folder) { f.put("a.yaml", at("10.0.0.2")+strings.Repeat("#\n", maxFile/2)) }, "a.yaml: larger than 16 MiB"},
		"a directory":  {func(f *folder) { f.remove("a.yaml"); f.do(os.Mkdir(f.dir+"/a.yaml", 0o700)) }, "no file in this folder"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.dir = filepath.Join(f.dir, "mesh")
			f.do(os.Mkdir(f.dir, 0o700))
			f.put("a.yaml", at("10.0.0.1"))
			p := f.open()
			ch := news(t, p, "orders")
			until(t, ch, "10.0.0.1:80")
			c.spoil(f)
			if line := f.logs.until("are bad"); !strings.Contains(line, c.want) {
				t.Errorf("logged %q, expected %q", line, c.want)
			}
			if u := <-ch; u.Kind != discovery.Failed || !strings.Contains(u.Err.Error(), c.want) {
				t.Errorf("watchers hear %v %v", u.Kind, u.Err)
			}
			if got := show(p.State().plan("orders")); got != "10.0.0.1:80" {
				t.Errorf("orders is at %s", got)
			}
			f.do(os.RemoveAll(f.dir), os.Mkdir(f.dir, 0o700))
			f.put("c.yaml", at("10.0.0.3"))
			until(t, ch, "10.0.0.3:80")
			if found, err := p.Findings(); len(found) > 0 || err != nil {
				t.Errorf("findings are %v, %v", found, err)
			}
		})
	}
}

// TestRecovery: watchers hear that a failure is over where nothing else has changed.
func TestRecovery(t *testing.T) {
	f := newFolder(t)
	f.put("a.yaml", at("10.0.0.1"))
	p := f.open()
	known, unknown := news(t, p, "orders"), news(t, p, "nobody")
	for _, ch := range []<-chan discovery.Update{known, unknown} {
		<-ch
	}
	f.put("b.yaml", entryText("{hots: [], prts: []}"))
	for _, ch := range []<-chan discovery.Update{known, unknown} {
		if u := <-ch; u.Kind != discovery.Failed || !strings.HasSuffix(u.Err.Error(), "(and 2 more)") {
			t.Errorf("heard %v %v", u.Kind, u.Err)
		}
	}
	f.remove("b.yaml")
	if u := <-known; u.Kind != discovery.Diff || len(u.Endpoints)+len(u.Removed) > 0 {
		t.Errorf("heard %+v", u)
	}
	if u := <-unknown; u.Kind != discovery.Absent {
		t.Errorf("heard %+v", u)
	}
}

// TestTrafficHearsOfBadManifests: telemetry shows what WatchTraffic tells.
func TestTrafficHearsOfBadManifests(t *testing.T) {
	f := newFolder(t)
	f.put("a.yaml", at("10.0.0.1"))
	p := f.open()
	ctx, cancel := context.WithCancel(context.Background())
	ch, done := make(chan traffic.Update, 100), make(chan struct{})
	go func() { defer close(done); _ = p.WatchTraffic(ctx, func(u traffic.Update) { ch <- u }) }()
	if u := <-ch; u.Err != nil {
		t.Fatal(u.Err)
	}
	f.put("b.yaml", "kind: [")
	if u := <-ch; u.Err == nil || !strings.Contains(u.Err.Error(), "b.yaml:1") {
		t.Errorf("heard %v", u.Err)
	}
	f.remove("b.yaml")
	if u := <-ch; u.Err != nil || !u.Policy.Equal(p.Policy()) {
		t.Errorf("heard %v", u.Err)
	}
	cancel()
	<-done
}

// TestClosed: a watch of a plane that is closed ends with an error, so that its client asks again and learns of it.
func TestClosed(t *testing.T) {
	f := newFolder(t)
	f.put("a.yaml", at("10.0.0.1"))
	p := f.open()
	errs := make(chan error)
	first := make(chan struct{}, 2)
	go func() {
		errs <- p.Watch(context.Background(), "orders", func(discovery.Update) { first <- struct{}{} })
	}()
	go func() {
		errs <- p.WatchTraffic(context.Background(), func(traffic.Update) { first <- struct{}{} })
	}()
	<-first
	<-first
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := <-errs; err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("ended with %v", err)
		}
	}
}

// TestOpenFindsEverything: the error of New joins the findings of all files.
func TestOpenFindsEverything(t *testing.T) {
	f := newFolder(t)
	for i := range 3 {
		f.put(fmt.Sprintf("%d.yaml", i), entryText("{hots: [], prts: []}"))
	}
	_, err := Open(f.dir)
	if err == nil || strings.Count(err.Error(), "did you mean") != 6 {
		t.Errorf("the error is %v", err)
	}
	if _, err := Open(); err == nil {
		t.Error("no path is no error")
	}
	if _, err := Open(f.dir + "/none"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("the error is %v", err)
	}
}

// TestPolicyIsToldWhenItChanges: who follows the policy is not woken by endpoints.
func TestPolicyIsToldWhenItChanges(t *testing.T) {
	f := newFolder(t)
	f.put("a.yaml", at("10.0.0.1"))
	p := f.open()
	ctx, cancel := context.WithCancel(context.Background())
	policies, done := make(chan traffic.Update, 100), make(chan struct{})
	go func() { defer close(done); _ = p.WatchTraffic(ctx, func(u traffic.Update) { policies <- u }) }()
	ch := news(t, p, "orders")
	until(t, ch, "10.0.0.1:80")
	<-policies
	f.put("a.yaml", at("10.0.0.2"))
	until(t, ch, "10.0.0.2:80")
	outside := strings.NewReplacer("name: x", "name: y", "orders", "api.example.com", "MESH_INTERNAL", "MESH_EXTERNAL")
	f.put("b.yaml", outside.Replace(at("10.0.0.3")))
	if u := <-policies; len(u.Policy.Destinations) == 0 {
		t.Errorf("heard %v", u)
	}
	cancel()
	<-done
}
