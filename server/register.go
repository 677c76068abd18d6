package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/discovery"
)

var errDraining = errors.New("the server is draining")

// Register announces an instance of a service that this server serves, and ties it to the drain:
//
//   - When a drain begins, a registration that is still being tried is given up, and [discovery.Lease.Drain] is called,
//     side by side for all instances: new callers are no longer sent, while the server serves on for DrainDelay. The drain
//     does not wait for it.
//   - When the servers have stopped, and before Drain returns, [discovery.Lease.Leave] removes the instances, side by side,
//     within 5 s or DrainTimeout if that is less. [Server.Close], and a drain that its context ends, allow 1 s.
//
// What a registry fails to do then is logged and no error of Drain or Close, because no request was lost by it: the
// registry removes the instance by itself, see [discovery.Registration].RemoveAfter.
//
// Register returns when the registry knows the instance, or with an error: because the registration cannot be honoured,
// because ctx has ended while the registry was away, or because the server drains or was closed. After an error nothing
// stays registered, as far as the registry could be told within 1 s. A Ready of nil becomes [Server.Ready]. Every call is
// an instance of its own, for several services, addresses or registries.
//
// It is a method and no field of [Config], because often an address is known only when the listener is open (":0").
// Register then, so that nobody is sent to a port that is not open yet. While a registry is away that may take long: a
// server that should serve all the same calls Register in a goroutine.
func (s *Server) Register(ctx context.Context, r discovery.Registrar, reg discovery.Registration) error {
	if err := s.register(ctx, r, reg); err != nil {
		return fmt.Errorf("server: register %s: %w", reg.Service, err)
	}
	return nil
}

func (s *Server) register(ctx context.Context, r discovery.Registrar, reg discovery.Registration) error {
	if r == nil {
		return errors.New("there is no registrar")
	}
	if reg.Ready == nil {
		reg.Ready = s.Ready
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := &instance{service: reg.Service, addr: reg.Endpoint.Addr, cancel: cancel}
	if !s.leases.enter(in) {
		return errDraining
	}
	defer s.leases.entered(in)
	lease, err := r.Register(ctx, reg)
	switch {
	case err != nil && !s.Ready():
		return fmt.Errorf("%w: %w", errDraining, err)
	case err != nil:
		return err
	case !s.leases.keep(in, lease):
		return errDraining
	}
	return nil
}
