package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// identify checks what the config says about callers, and hands it to the layers.
func (cfg Config) identify(sc *stack.ServerConfig) error {
	sc.Identity, sc.Authorize = cfg.Identity, cfg.Authorize
	if len(cfg.Public) > 0 {
		sc.Public = security.AllowMethods(cfg.Public...)
		if err := sc.Public.Validate(); err != nil {
			return fmt.Errorf("server: Public: %w", err)
		}
	}
	if cfg.Authorize == nil {
		return nil
	}
	if err := security.Check(cfg.Authorize); err != nil {
		return fmt.Errorf("server: Authorize: %w", err)
	}
	return nil
}

// TLSConfig is for servers of every kind: it proves the server's identity, demands one of clients, and follows both as
// they are renewed. Clients that are refused are logged with the reason, which they do not learn themselves; a line a
// second for each reason, with the number of those that have none. Nil without an Identity.
//
// Where Config.Public is not empty, clients without a certificate may connect, and ask for what is public.
func (s *Server) TLSConfig() *tls.Config {
	if s.id == nil {
		return nil
	}
	cfg := security.ServerTLS(s.id, s.refused)
	if verify := cfg.VerifyConnection; s.public {
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return nil
			}
			return verify(state)
		}
	}
	return cfg
}

// SetAuthorize replaces the rules at once, for new requests and for those that last: gRPC streams, and HTTP requests that
// were flushed or hijacked. Those that are denied now are ended. Nil is what it is in Config. A server that was made
// with neither Identity nor Authorize looks at nobody, and cannot have rules later.
func (s *Server) SetAuthorize(a security.Authorizer) error {
	if s.core.Guard == nil {
		return errors.New("server: SetAuthorize: the server has neither Identity nor Authorize in its Config")
	}
	if a != nil {
		if err := security.Check(a); err != nil {
			return fmt.Errorf("server: SetAuthorize: %w", err)
		}
	}
	s.core.Guard.SetRules(a)
	return nil
}

// PeerFrom is who asks, for the handlers of HTTP and gRPC requests: the verified identity of the other end of the
// connection. False where it has none: the server has no Identity, or the request is one that everybody may make.
func PeerFrom(ctx context.Context) (*security.Peer, bool) {
	switch v := ctx.Value(stack.PeerKey{}).(type) {
	case *security.Peer:
		return v, true
	case *conn:
		p, err := v.Authenticate(v.server.id)
		return p, err == nil
	}
	return nil, false
}
