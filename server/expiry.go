package server

import (
	"context"
	"sync"

	"github.com/intramesh/intramesh/internal/stack"
)

// showExpiry lets telemetry show when the server's certificate expires, until the server has been drained or closed.
func (s *Server) showExpiry(cfg Config) {
	if cfg.Telemetry == nil || cfg.Identity == nil {
		return
	}
	forget := cfg.Telemetry.ObserveExpiry("server", stack.Expiry{Identity: cfg.Identity})
	s.core.Add(expiry(sync.OnceFunc(forget)))
}

// expiry takes part in the drain, at whose end it forgets.
type expiry func()

func (e expiry) Shutdown(context.Context) error { e(); return nil }
func (e expiry) Close() error                   { e(); return nil }
