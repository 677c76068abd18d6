package main

import (
	"context"
	"log/slog"
	"sync"
)

// health is which endpoints are ejected, as the mesh's log tells. For dashboards there are metrics.
type health struct {
	mu      sync.Mutex
	ejected map[string]bool
}

func newHealth() *health { return &health{ejected: map[string]bool{}} }

// Enabled lets all but debugging pass: that an endpoint is readmitted is no error.
func (*health) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// Handle notes who goes and who is back.
func (h *health) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "endpoint" {
			return true
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		switch r.Message {
		case "intramesh: endpoint ejected":
			h.ejected[a.Value.String()] = true
		case "intramesh: endpoint readmitted":
			delete(h.ejected, a.Value.String())
		}
		return false
	})
	return nil
}

// WithAttrs goes on with the same.
func (h *health) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup goes on with the same.
func (h *health) WithGroup(string) slog.Handler { return h }

// out is how many are ejected.
func (h *health) out() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ejected)
}
