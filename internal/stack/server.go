package stack

import (
	"log/slog"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/security"
)

// ServerConfig is what the layers of a server need to know; package server checks it and fills in the defaults.
type ServerConfig struct {
	Logger *slog.Logger
	// DrainDelay is how long a draining server serves on; 0: not at all.
	DrainDelay time.Duration
	// DrainTimeout bounds the graceful shutdown after that.
	DrainTimeout time.Duration
	// Wait takes the place of a timer in the phases of a drain, so that tests can go by events. Nil: a timer.
	Wait ServeWait
	// Observer sees every request. Nil: nobody does.
	Observer call.ServeObserver
	// Identity is by what callers are authenticated; nil: not at all.
	Identity security.Identity
	// Authorize says what callers may do. Nil with an Identity: the own trust domain may do everything.
	Authorize security.Authorizer
	// Public is what everybody may ask for; nil: nothing.
	Public *security.Rule
}

// Server is the core of a server, the same for both protocols: the layers that a request passes, and the drain.
type Server struct {
	ServeDrain
	// Guard is nil where there is nothing to guard, and so is Warden, which looks after what lasts.
	Guard  *Guard
	Warden *Warden
	// Handlers are those of lasting gRPC streams, which may go on after their streams were ended.
	Handlers Tally

	recovers serveRecover
	chain    call.Chain[*Serve]
	observed bool
}

// NewServer makes the chain once; requests only run it.
//
// THE order of the server side. Begin runs downwards, End upwards. A layer that is not built yet has its place here and
// nothing else.
//
//	record      (only where there is an observer) outermost: its End sees how every request ended, also those that a layer below
//	            refused and those that panicked.
//	recover     inside record, so that a panic is recorded as the failure that it is; outside all else, so that no panic
//	            gets past it, whichever layer or handler it comes from.
//	authorize   (only with an identity or rules) authenticate, then authorize: before anything is spent on a stranger.
//	deadline    below authorization, so that a stranger cannot have timers made; above all that takes time, so that
//	            waiting for admission counts, and a request whose time is over neither takes a token nor queues.
//	rate limit  (comes with policy) above admission, so that one greedy caller cannot fill the queue.
//	admission   (comes with policy) the last gate: what passes it is work.
//	inbound     innermost: only the handler's context needs it, so what is refused above does not pay for it.
func NewServer(cfg ServerConfig) *Server {
	s := &Server{observed: cfg.Observer != nil, recovers: serveRecover{cfg.Logger}}
	if s.observed {
		s.chain = append(s.chain, serveRecord{cfg.Observer})
	}
	s.chain = append(s.chain, s.recovers)
	s.ServeDrain.init(cfg)
	if s.Guard = newGuard(cfg); s.Guard != nil {
		s.chain = append(s.chain, serveAuthorize{s.Guard})
		s.Warden = newWarden(s.Guard)
		s.Add(s.Warden)
		s.Add(&s.Handlers)
	}
	s.chain = append(s.chain, serveDeadline{}, serveInbound{})
	return s
}

// Begin lets a request pass to its handler, with c.Ctx as its context, or refuses it with a [call.Error].
func (s *Server) Begin(c *Serve) error { return s.chain.Begin(c) }

// End is called once for each Begin that returned nil, when the handler is done.
func (s *Server) End(c *Serve) { s.chain.End(c) }
