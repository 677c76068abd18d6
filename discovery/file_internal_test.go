package discovery

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where the operating system tells nothing, polling finds the change.
func TestFilePolls(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.yaml")
	put(t, path, "services: {a: [h:1]}")
	f, err := newFile(FileConfig{Path: path, Poll: time.Millisecond, Logger: slog.New(slog.DiscardHandler)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, changed := f.content.Watch()
	put(t, path+".next", "services: {a: [h:2]}")
	if err := os.Rename(path+".next", path); err != nil {
		t.Fatal(err)
	}
	<-changed
	if got := (*f.content.Load())["a"]; len(got) != 1 || got[0].Addr != "h:2" {
		t.Errorf("got %v", got)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Each problem is logged once, however often the file is looked at, and so is its end.
func TestReloadLogsOnce(t *testing.T) {
	var log bytes.Buffer
	path := filepath.Join(t.TempDir(), "f.yaml")
	f := &File{path: path, log: slog.New(slog.NewTextHandler(&log, nil))}
	r := &reloader{file: f}
	for i, step := range []struct {
		text   string
		logged string
	}{
		{"services: {}", ""},
		{"services: {", "is bad"},
		{"services: {", ""},
		{"services: 1", "is bad"},
		{"services: {}", "is good again"},
		{"services: {}", ""},
		{"services: {", "is bad"},
		{"services: {a: []}", "is good again"},
	} {
		put(t, path, step.text)
		log.Reset()
		r.reload()
		r.reload()
		if got := strings.Count(log.String(), "\n"); step.logged == "" && got > 0 || step.logged != "" && got != 1 ||
			!strings.Contains(log.String(), step.logged) {
			t.Errorf("step %d: logged %q, expected one line of %q", i, log.String(), step.logged)
		}
	}
}

// Ten thousand endpoints of which one changes: what a watch does with a new state of the file.
func BenchmarkReporter(b *testing.B) {
	states := [2][]Endpoint{thousands(10_000), thousands(10_000)}
	states[1][5000].Zone = "b"
	r := reporter{fn: func(Update) {}}
	for i := 0; b.Loop(); i++ {
		r.set(b.Context(), states[i%2])
	}
}
