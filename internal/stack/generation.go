package stack

import (
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// generation is everything that policy says at one moment. A call takes one and keeps it to its end, so that no change can
// split it: its route with all that this does to it, its destination, time limits, retries, breaker, limits, and the key by
// which it is placed.
//
// What belongs to a destination is of now, for every call, as what discovery says of it is: which endpoints there are, how
// one is picked, ejections, and by which rules connections to it are made (TLS, too: a change of who is trusted must not
// wait for calls under way). A change of those reaches the next attempt of a call that has begun.
type generation struct {
	number     uint64
	resilience resilience.Config
	table      *traffic.Table // nil: there are no routes, or no answer about them yet
}

// regime is what a generation says of one destination, made ready.
type regime struct {
	of       *generation
	policy   resilience.Policy // what exec was made of
	exec     *resilience.Executor
	settings *traffic.Settings // never nil

	variants sync.Map // of exec for rules with retries of their own: *traffic.Rule to *resilience.Executor
}

// noSettings stands for a destination of which nothing is said.
var noSettings = new(traffic.Settings)

// policyFor is what g says of a service or a subset of it: the client's own policy, in which the parts that the routes give
// take their place. bare is the service without its port.
func (g *generation) policyFor(service, bare, subset string) (resilience.Policy, *traffic.Settings, error) {
	p := g.resilience.For(service, bare)
	if g.table == nil {
		return p, noSettings, nil
	}
	st, err := g.table.Settings(service, subset)
	if err != nil || st == nil {
		return p, noSettings, err
	}
	return p.Overlay(st.Resilience), st, nil
}

// under is what g says of the destination. Destinations go over to a new generation before calls do, so that one under
// another is asked by a call that began a moment before the change: it is served as it was then, with the state that both
// share.
func (d *Destination) under(g *generation) *regime {
	r := d.regime.Load()
	if r.of == g {
		return r
	}
	if past, err := d.compile(r, g); err == nil {
		return past
	}
	return r
}

// adopt puts the destination under g. The caller holds the client's setting.
func (d *Destination) adopt(g *generation) {
	old := d.regime.Load()
	next, err := d.compile(old, g)
	if err != nil {
		// What was validated compiles. A subset that the change has taken away keeps what it had, for the calls under way.
		d.client.events.line(slog.LevelDebug, "intramesh: no policy, the old one holds", "service", d.Name, "error", err)
		return
	}
	next.exec.Observe(d.note)
	next.exec.Govern()
	d.regime.Store(next)
	if c := next.settings.Connections; c != nil && c.HTTP2 != nil {
		d.share(*c.HTTP2) // before the first answer shows it
	}
	d.outliers.setPolicy(next.exec.Outlier())
	if old != nil && !next.exec.SameBreaker(old.exec) && old.exec.Breaker() > resilience.BreakerClosed {
		d.note(call.Event{Kind: call.BreakerClosed, Time: time.Now(), Reason: call.PolicyChanged})
	}
}

func (d *Destination) compile(old *regime, g *generation) (*regime, error) {
	p, st, err := g.policyFor(d.service, d.bare, d.subset)
	if err != nil && old != nil {
		return nil, err
	}
	r := &regime{of: g, policy: p, settings: st}
	if old == nil {
		r.exec, err = resilience.New(p)
		return r, err
	}
	r.settings = keeping(st, old.settings)
	r.exec, err = old.exec.With(p)
	return r, err
}

// keeping is next with the parts of old that say the same: connections are made anew where those parts are other ones.
func keeping(next, old *traffic.Settings) *traffic.Settings {
	if next == old || next.TLS == nil && next.Connections == nil {
		return next
	}
	kept := *next
	if reflect.DeepEqual(next.TLS, old.TLS) {
		kept.TLS = old.TLS
	}
	if reflect.DeepEqual(next.Connections, old.Connections) {
		kept.Connections = old.Connections
	}
	return &kept
}

// executor is what calls by the rule are kept alive with: rules may have retries of their own, and share budget and breaker.
func (r *regime) executor(rule *traffic.Rule) *resilience.Executor {
	if rule == nil || rule.Route.Retry == nil {
		return r.exec
	}
	if v, ok := r.variants.Load(rule); ok {
		return v.(*resilience.Executor)
	}
	p := r.policy
	p.Retry = rule.Route.Retry
	e, err := r.exec.With(p)
	if err != nil {
		return r.exec // it was validated with the route
	}
	v, _ := r.variants.LoadOrStore(rule, e)
	return v.(*resilience.Executor)
}

// evolve makes the next generation, and puts all destinations under it before the first call is. Calls under way go on under
// theirs.
func (s *Client) evolve(change func(next *generation)) {
	defer s.events.tell()
	s.setting.Lock()
	defer s.setting.Unlock()
	old := s.now.Load()
	next := &generation{number: 1}
	if old != nil {
		*next = *old
		next.number++
	}
	change(next)
	s.since.Store(time.Now().UnixNano())
	s.each(func(d *Destination) {
		d.eachSubset(func(sub *Destination) {
			sub.settle(next)
			sub.adopt(next)
		})
		d.adopt(next)
		d.rearrange(next)
	})
	s.now.Store(next)
}

// SetResilience replaces the policy. Calls under way keep the one that they began with; budgets keep their state, and so do
// breakers whose settings stay the same.
func (s *Client) SetResilience(cfg resilience.Config) {
	s.evolve(func(next *generation) { next.resilience = cfg })
}

// Policy is the policy of now, and a channel that is closed when it has been replaced.
func (s *Client) Policy() (*resilience.Config, <-chan struct{}) {
	g, changed := s.now.Watch()
	return &g.resilience, changed
}
