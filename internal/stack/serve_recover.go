package stack

import (
	"log/slog"
	"runtime/debug"
)

// serveRecover reports a panic, once, with its stack. The panic itself is caught by the adapter, since recover works in
// a deferred function only, and turned there into what the protocol has for it.
//
// Neither headers, query nor body are logged: they may hold secrets.
type serveRecover struct{ log *slog.Logger }

func (serveRecover) Begin(*Serve) error { return nil }

// End is reached from the deferred function that caught the panic, so the stack still shows where it arose.
func (l serveRecover) End(c *Serve) {
	if c.Panic == nil {
		return
	}
	stack := c.Stack
	if stack == nil {
		stack = debug.Stack()
	}
	l.report(c, c.Panic, stack)
}

// Panicked reports a panic of a handler whose request was over already.
func (s *Server) Panicked(c *Serve, p any, stack []byte) { s.recovers.report(c, p, stack) }

func (l serveRecover) report(c *Serve, p any, stack []byte) {
	l.log.LogAttrs(c.Ctx, slog.LevelError, "intramesh: handler panicked",
		slog.String("protocol", c.Protocol.String()),
		slog.String("method", c.Method),
		slog.String("path", c.Path),
		slog.Any("panic", p),
		slog.String("stack", string(stack)),
	)
}
