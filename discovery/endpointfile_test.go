package discovery_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/discoverytest"
)

// endpointFile is a file that a File reads.
type endpointFile struct {
	t       *testing.T
	path    string
	content discoverytest.Content
	logs    *logged
}

func newEndpointFile(t *testing.T, content discoverytest.Content) *endpointFile {
	e := &endpointFile{t: t, path: filepath.Join(t.TempDir(), "endpoints.yaml"), content: maps.Clone(content), logs: newLogged(t)}
	e.write(e.json())
	return e
}

// open makes a source that relies on notices alone: polling is off.
func (e *endpointFile) open(t *testing.T) *discovery.File {
	f, err := discovery.NewFile(discovery.FileConfig{Path: e.path, Poll: -1, Logger: slog.New(e.logs)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// write puts another file in the place of the present one.
func (e *endpointFile) write(data []byte) {
	e.t.Helper()
	next := e.path + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Rename(next, e.path); err != nil {
		e.t.Fatal(err)
	}
}

func (e *endpointFile) json() []byte {
	e.t.Helper()
	type entry struct {
		Addr     string            `json:"addr"`
		Zone     string            `json:"zone,omitempty"`
		Region   string            `json:"region,omitempty"`
		SubZone  string            `json:"subzone,omitempty"`
		Weight   uint32            `json:"weight,omitempty"`
		Metadata map[string]string `json:"metadata,omitempty"`
		ID       string            `json:"id,omitempty"`
	}
	services := map[string][]entry{}
	for name, endpoints := range e.content {
		services[name] = []entry{}
		for _, x := range endpoints {
			services[name] = append(services[name], entry(x))
		}
	}
	data, err := json.MarshalIndent(map[string]any{"services": services}, "", "\t")
	if err != nil {
		e.t.Fatal(err)
	}
	return data
}

// logged keeps what was logged.
type logged struct {
	t     *testing.T
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func newLogged(t *testing.T) *logged { return &logged{t: t, more: make(chan struct{}, 1000)} }

func (l *logged) Enabled(context.Context, slog.Level) bool { return true }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logged) WithGroup(string) slog.Handler            { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	l.mu.Lock()
	l.lines = append(l.lines, line)
	l.mu.Unlock()
	l.more <- struct{}{}
	return nil
}

// until waits for the next line and checks that it contains text.
func (l *logged) until(text string) string {
	l.t.Helper()
	<-l.more
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.lines[0]
	l.lines = l.lines[1:]
	if !strings.Contains(line, text) {
		l.t.Errorf("logged %q, expected %q", line, text)
	}
	return line
}
