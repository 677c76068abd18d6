package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/telemetry"
)

// Defaults of [Config].
const (
	defaultDrainDelay   = 5 * time.Second
	defaultDrainTimeout = 30 * time.Second
)

// Config says what a [Server] does. Every field stands alone; the zero Config is a good one.
type Config struct {
	// DrainDelay is how long a draining server serves on, so that balancers and registries can learn that it leaves
	// before it takes no more work. In its second half every HTTP answer asks its client to leave the connection. 0: 5 s;
	// negative: none, for servers that nobody finds by a balancer or registry. Then a request on an HTTP/1.1 connection
	// that has been idle for more than a moment may meet its end.
	DrainDelay time.Duration
	// DrainTimeout bounds the graceful shutdown after DrainDelay; what is left then is closed. 0: 30 s.
	DrainTimeout time.Duration
	// Telemetry makes spans and metrics of requests, and continues the traces that they belong to. One value may serve
	// clients and servers. Nil: none.
	Telemetry *telemetry.Telemetry
	// Identity is who this server is and whom it trusts. With it every request must come over mutual TLS from a peer that
	// is verified, when it connects and again for each request; what comes without is refused, but for Public. See
	// [Server.TLSConfig]. Nil: callers are not authenticated, and TLS is yours.
	Identity security.Identity
	// Authorize says who may do what. Denied requests are answered 403 or PERMISSION_DENIED, unverified ones 401 or
	// UNAUTHENTICATED; the rule is logged, a line a second, and not told to the caller. Nil: with an Identity, every peer
	// of the own trust domain may do everything; without one, everybody. Without an Identity requests have no Peer, so
	// rules that ask for one deny. [Server.SetAuthorize] replaces it.
	Authorize security.Authorizer
	// Public are the requests that everybody may make, also without a certificate, by patterns as [security.AllowMethods]
	// takes them: "GET /healthz", "/grpc.health.v1.Health/*". Nothing is public that is not named here.
	Public []string
	// Logger hears of panics and of drains that do not finish, of clients and requests that are
	// refused, never of headers or bodies. Nil: [slog.Default].
	Logger *slog.Logger
}

// Server is what the servers of a process share, HTTP and gRPC: the layers that requests pass, readiness and the drain.
// It listens to nothing itself.
type Server struct {
	core    *stack.Server
	hijacks hijacks
	leases  *leases
	id      security.Identity // nil: none
	public  bool              // something is
	refused security.Observer // of connections
}

// New makes a Server. An error names the field and the value that cannot be honoured.
func New(cfg Config) (*Server, error) { return newServer(cfg, nil) }

// newServer takes what tests put in the place of the drain's timers.
func newServer(cfg Config, wait stack.ServeWait) (*Server, error) {
	if cfg.DrainTimeout < 0 {
		return nil, fmt.Errorf("server: DrainTimeout: %v: must not be negative (use Close for no grace)", cfg.DrainTimeout)
	}
	log := cfg.Logger
	if log == nil {
		log = slog.Default()
	}
	sc := stack.ServerConfig{
		Logger:       log,
		DrainDelay:   max(0, or(cfg.DrainDelay, defaultDrainDelay)),
		DrainTimeout: or(cfg.DrainTimeout, defaultDrainTimeout),
		Wait:         wait,
	}
	if cfg.Telemetry != nil {
		sc.Observer = cfg.Telemetry.Core()
	}
	if err := cfg.identify(&sc); err != nil {
		return nil, err
	}
	s := &Server{
		core: stack.NewServer(sc), leases: newLeases(log, sc.DrainTimeout),
		id: cfg.Identity, public: len(cfg.Public) > 0, refused: stack.ObserveRefusals(log),
	}
	s.core.Add(&s.hijacks)
	s.core.OnDrain(s.leases.begin)
	s.core.OnEnd(s.leases.end)
	s.showExpiry(cfg)
	return s, nil
}

func or(v, byDefault time.Duration) time.Duration {
	if v == 0 {
		return byDefault
	}
	return v
}

// Core is for package servergrpc, which shares the layers and the drain. Its type is internal; programs have no use for
// it.
func (s *Server) Core() *stack.Server { return s.core }

// Ready reports whether the server should be sent requests: from New until a drain begins.
func (s *Server) Ready() bool { return s.core.Ready() }

// ReadyHandler answers health probes: 200 while [Server.Ready], 503 from the beginning of a drain.
func (s *Server) ReadyHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if !s.Ready() {
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
}

// Stopping returns a channel that is closed when DrainDelay is over and no new work is taken. Handlers that could go on
// for ever (server-sent events, WebSockets, gRPC streams) watch it to end in time; what does not end within DrainTimeout
// is cut off.
func (s *Server) Stopping() <-chan struct{} { return s.core.Stopping() }

// Drain takes the process out of service without losing a request, and returns when that is done:
//
//  1. [Server.Ready] turns false, gRPC health reports NOT_SERVING, and registries hear that instances that were announced
//     by [Server.Register] take no new callers.
//  2. The servers go on for DrainDelay. In its second half every HTTP answer carries "Connection: close" (HTTP/1.1) or is
//     followed by GOAWAY (HTTP/2), because a connection that is closed while idle can lose a request.
//  3. All attached servers, HTTP and gRPC, shut down gracefully side by side for up to DrainTimeout; HTTP in a moment of
//     calm on its connections, for which it waits 1 s at most.
//  4. What is left is closed, hijacked connections too.
//  5. Instances that were announced leave their registries, within 5 s.
//
// It returns nil if all work was finished, and otherwise an error that says why it was cut off. The end of ctx cuts the
// grace short. Further calls join the drain that runs.
//
// A client that opens a new connection at the very moment when the listener closes is reset, by the operating system or by
// net/http; keeping new connections away is what readiness and DrainDelay are for.
func (s *Server) Drain(ctx context.Context) error {
	if err := s.core.Drain(ctx); err != nil {
		return fmt.Errorf("server: drain: %w", err)
	}
	return nil
}

// Close ends all attached servers at once, as [http.Server.Close] and grpc's Stop do, and has what was announced leave its
// registries, within 1 s. It cuts a drain short, and may be called at any time, again too.
func (s *Server) Close() error {
	if err := s.core.Close(); err != nil {
		return fmt.Errorf("server: close: %w", err)
	}
	return nil
}
