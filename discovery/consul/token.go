package consul

import (
	"bytes"
	"log/slog"
	"sync"

	"github.com/intramesh/intramesh/internal/filewatch"
)

// token is the ACL token of now.
type token struct {
	path string // empty: it is fixed
	log  *slog.Logger

	mu   sync.Mutex
	last string
	bad  string // the problem that was logged last
}

// load reads the file, where there is one, and keeps the last token where it holds none.
func (t *token) load() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path == "" {
		return t.last
	}
	data, err := filewatch.Read(t.path, 4096)
	data = bytes.TrimSpace(data)
	problem := ""
	switch {
	case err != nil:
		problem = err.Error()
	case len(data) == 0:
		problem = "it is empty"
	default:
		t.last = string(data)
	}
	if problem != t.bad && problem != "" {
		t.log.Warn("discovery: consul: token file is bad; the last token is used", "path", t.path, "error", problem)
	}
	t.bad = problem
	return t.last
}
