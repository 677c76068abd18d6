package servergrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/intramesh/intramesh/server"
)

// Attach lets gs take part in the drain of s: GracefulStop beside the shutdown of HTTP, then Stop. Call it before gs
// serves; a server that is attached after a drain is stopped.
func Attach(s *server.Server, gs *grpc.Server) { s.Core().Add(stopper{gs}) }

type stopper struct{ gs *grpc.Server }

// Shutdown gives GracefulStop, which knows no context, an end.
func (s stopper) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.gs.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err() // Close is next and ends GracefulStop too
	}
}

func (s stopper) Close() error {
	s.gs.Stop()
	return nil
}

// Health returns the standard health service, which reports SERVING for the whole server, and NOT_SERVING for all
// services from the beginning of a drain. Register it with healthpb.RegisterHealthServer; set the status of single
// services on it as usual.
func Health(s *server.Server) *health.Server {
	h := health.NewServer()
	s.Core().OnDrain(h.Shutdown)
	return h
}
