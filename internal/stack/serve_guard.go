package stack

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/snapshot"
	"github.com/intramesh/intramesh/security"
)

// Guard knows who may do what on a server, now.
type Guard struct {
	id      security.Identity // nil: nobody is authenticated
	public  *security.Rule    // nil: nothing is public
	rules   snapshot.Value[rules]
	log     *slog.Logger
	refused sparse // of what was refused
}

// rules are those in force.
type rules struct {
	authorize security.Authorizer // nil: see permit
	host      bool                // it may look at a request's Host
}

// newGuard is nil where there is nothing to guard.
func newGuard(cfg ServerConfig) *Guard {
	if cfg.Identity == nil && cfg.Authorize == nil {
		return nil
	}
	g := &Guard{id: cfg.Identity, public: cfg.Public, log: cfg.Logger}
	g.SetRules(cfg.Authorize)
	return g
}

// SetRules replaces the rules for all requests from now on. Nil: every verified peer of the own trust domain.
func (g *Guard) SetRules(a security.Authorizer) {
	rule, own := a.(*security.Rule)
	g.rules.Store(&rules{authorize: a, host: a != nil && (!own || rule.Opaque())})
}

// WantsHost reports whether the rules may look at the Host, which an adapter may have to pay for.
func (g *Guard) WantsHost() bool { return g != nil && g.rules.Load().host }

// state is what a judgement goes by. Two that are equal come to the same result, but for what expires.
type state struct {
	material *security.Material
	rules    *rules
}

func (g *Guard) state() (s state) {
	s.rules = g.rules.Load()
	if g.id != nil {
		s.material, _ = g.id.Watch()
	}
	return s
}

// changed are channels that are closed when the state of now has been replaced.
func (g *Guard) changed() (material, rules <-chan struct{}) {
	_, rules = g.rules.Watch()
	if g.id != nil {
		_, material = g.id.Watch()
	}
	return material, rules
}

// judge puts the peer into r and says whether it may pass; what is public may, whoever asks. The error is a [*call.Error].
func (g *Guard) judge(remote Remote, r *security.Request) (public bool, err error) {
	public = g.public != nil && g.public.Authorize(r) == nil
	if g.id != nil {
		peer, err := remote.Authenticate(g.id)
		if err != nil && !public {
			return false, notAuthenticated(err)
		}
		r.Peer = peer
	}
	if public {
		return true, nil
	}
	if err := g.permit(r); err != nil {
		return false, err
	}
	return false, nil
}

// errOwnDomain is the rule where none are given.
var errOwnDomain = &security.Denial{Rule: "allow the own trust domain, which holds as no rules are given"}

func (g *Guard) permit(r *security.Request) error {
	if a := g.rules.Load().authorize; a != nil {
		return g.ask(a, r)
	}
	if g.id == nil {
		return nil // rules were taken away at run time
	}
	if m, _ := g.id.Watch(); m != nil && m.ID().TrustDomain() == r.Peer.TrustDomain() {
		return nil
	}
	return denied(errOwnDomain)
}

// ask denies where the Authorizer panics: it is a user's, and stands in the way to everything.
func (g *Guard) ask(a security.Authorizer, r *security.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("intramesh: Authorizer panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = refuse(call.Denied, "a panic of the Authorizer", call.Internal, "internal error", fmt.Errorf("panic: %v", p))
		}
	}()
	if err := a.Authorize(r); err != nil {
		return denied(err)
	}
	return nil
}

// tell logs a refusal; what was asked is the stranger's to choose, so it is bounded.
func (g *Guard) tell(r *security.Request, err error) {
	e, ok := errors.AsType[*call.Error](err)
	if !ok {
		return
	}
	cause, peer := errors.Unwrap(e.Err), ""
	if r.Peer != nil {
		peer = r.Peer.ID.String()
	} else if h, ok := errors.AsType[*security.HandshakeError](cause); ok {
		peer = h.PeerID // a claim; the error says what is wrong with it
	}
	g.refused.warn(g.log, e.Reason, "intramesh: request refused",
		slog.String("reason", e.Reason), slog.String("rule", e.Rule), slog.String("peer", peer),
		slog.String("protocol", r.Protocol.String()), slog.String("method", bounded(r.Method)), slog.String("path", bounded(r.Path)),
		slog.Any("error", cause))
}

func bounded(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
