package manifest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder is a folder of manifests that a plane follows.
type folder struct {
	t    *testing.T
	dir  string
	logs *logged
}

func newFolder(t *testing.T) *folder {
	return &folder{t: t, dir: t.TempDir(), logs: &logged{t: t, lines: make(chan string, 10_000)}}
}

// open makes a plane that relies on notices alone: polling is off.
func (f *folder) open() *Plane {
	f.t.Helper()
	p, err := New(Config{Paths: []string{f.dir}, Poll: -1, Logger: slog.New(f.logs)})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = p.Close() })
	return p
}

// put writes a file and renames it into its place.
func (f *folder) put(name, text string) {
	f.t.Helper()
	next := filepath.Join(f.dir, ".next")
	f.do(os.WriteFile(next, []byte(text), 0o600), os.Rename(next, filepath.Join(f.dir, name)))
}

func (f *folder) remove(name string) {
	f.t.Helper()
	f.do(os.Remove(filepath.Join(f.dir, name)))
}

func (f *folder) do(steps ...error) {
	f.t.Helper()
	for _, err := range steps {
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// logged keeps what was logged.
type logged struct {
	t     *testing.T
	lines chan string
}

func (l *logged) Enabled(context.Context, slog.Level) bool { return true }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logged) WithGroup(string) slog.Handler            { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	l.lines <- line
	return nil
}

// until waits for a line that contains text.
func (l *logged) until(text string) string {
	for {
		if line := <-l.lines; strings.Contains(line, text) {
			return line
		}
	}
}

// parse reads one file and fails where it has errors.
func parse(t *testing.T, cfg Config, text string) *State {
	t.Helper()
	s, found := Parse(cfg, map[string]string{"a.yaml": text})
	if s == nil {
		t.Fatalf("%v", found.Err())
	}
	return s
}
