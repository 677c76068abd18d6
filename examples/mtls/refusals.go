package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// refusals are the records of a server's log that say who was refused and why. The server knows; whom it refuses is told
// as little as possible.
type refusals struct {
	mu    sync.Mutex
	lines []string
	known map[string]bool
}

// Enabled is so for warnings: a refusal is one.
func (*refusals) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle keeps each kind of refusal once: how many lines there are of one depends on how fast the machine is.
func (l *refusals) Handle(_ context.Context, r slog.Record) error {
	attrs := map[string]slog.Value{}
	r.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value; return true })
	line := fmt.Sprintf("%s: reason=%s peer=%s", r.Message, attrs["reason"], attrs["peer"])
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.known[line] {
		l.known[line] = true
		l.lines = append(l.lines, line)
	}
	return nil
}

// WithAttrs has no use for more.
func (l *refusals) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup has no groups.
func (l *refusals) WithGroup(string) slog.Handler { return l }

// print writes what has come since it was last called.
func (l *refusals) print(out io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		fmt.Fprintf(out, "  the log of orders: %s\n", line)
	}
	l.lines = nil
}
