package stack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/again"
	"github.com/intramesh/intramesh/internal/call"
)

// follow keeps the routes as their source tells them. A policy that is there already is in force when it returns.
func (s *Client) follow() {
	if s.routes == nil {
		return
	}
	if p, ok := RoutesOf(s.routes); ok {
		s.reroute(traffic.Update{Policy: p})
	}
	s.watches.Go(func() { s.watchRoutes(s.ctx) })
}

// RoutesOf is the policy that a source has at hand, if it has.
func RoutesOf(src traffic.Source) (traffic.Policy, bool) {
	switch src := src.(type) {
	case traffic.Policy:
		return src, true
	case interface{ Policy() traffic.Policy }:
		return src.Policy(), true
	}
	return traffic.Policy{}, false
}

// watchRoutes asks the source until the client ends.
func (s *Client) watchRoutes(ctx context.Context) {
	wait := again.BackOff()
	for ctx.Err() == nil {
		began := time.Now()
		err := s.askRoutes(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("intramesh: the source of routes stopped watching")
		}
		s.reroute(traffic.Update{Err: err})
		if time.Since(began) > settledAfter {
			wait.Reset()
		}
		again.Wait(ctx, wait.NextBackOff())
	}
}

// askRoutes runs one watch. A source that panics is one that failed.
func (s *Client) askRoutes(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("intramesh: the source of routes panicked: %v", p)
		}
	}()
	return s.routes.WatchTraffic(ctx, func(u traffic.Update) {
		if ctx.Err() == nil {
			s.reroute(u)
		}
	})
}

// reroute puts a policy into force. One that cannot be honoured changes nothing: the last good one holds.
func (s *Client) reroute(u traffic.Update) {
	if u.Err != nil {
		s.misrouted(u.Err)
		return
	}
	now := s.now.Load()
	if now.table != nil && now.table.Policy().Equal(u.Policy) {
		s.routed()
		return
	}
	table, err := traffic.Compile(u.Policy, s.local)
	if err == nil && s.vet != nil {
		err = s.vet(&u.Policy)
	}
	if err != nil {
		s.misrouted(err)
		return
	}
	s.evolve(func(next *generation) { next.table = table })
	s.forgetCounts(&u.Policy)
	s.routed()
}

// count is the next number of a rule's requests. It is kept by the rule's name, so that a split stays exact over changes.
func (s *Client) count(rule *traffic.Rule) uint64 {
	if len(rule.Targets) < 2 {
		return 0
	}
	n, ok := s.counts.Load(rule.Name)
	if !ok {
		first := new(atomic.Uint64)
		first.Store(rand.Uint64()) // clients that start together do not all begin with the same destination
		n, _ = s.counts.LoadOrStore(rule.Name, first)
	}
	return n.(*atomic.Uint64).Add(1)
}

// forgetCounts drops those of routes that are no more.
func (s *Client) forgetCounts(p *traffic.Policy) {
	names := make(map[string]bool, len(p.Routes))
	for i := range p.Routes {
		names[p.Routes[i].Name] = true
	}
	s.counts.Range(func(name, _ any) bool {
		if n := name.(string); !names[n] && !strings.HasPrefix(n, "routes[") {
			s.counts.Delete(n)
		}
		return true
	})
}

// misrouted notes that the routes are not what somebody wants them to be. It is told when it begins and when the reason
// changes.
func (s *Client) misrouted(err error) {
	old := s.trouble.Swap(&err)
	if old != nil && (*old).Error() == err.Error() {
		return
	}
	s.log.Error("intramesh: routes refused, the last good ones hold", "error", err)
	s.events.note(call.Event{Kind: call.PolicyRefused, Time: time.Now(), Reason: call.BadPolicy})
	s.events.tell()
}

// routed notes that they are.
func (s *Client) routed() {
	if s.trouble.Swap(nil) != nil {
		s.log.Info("intramesh: routes are in force as their source has them again")
	}
}

var errUnrouted = errors.New("intramesh: the source of routes has not answered yet")

// awaitRoutes waits for the first policy, for as long as Warmup and the call's own time allow.
func (s *Client) awaitRoutes(c *Call) (*generation, error) {
	c.waited = true
	ctx, cancel := context.WithDeadline(c.Ctx, c.patience())
	defer cancel()
	for {
		g, changed := s.now.Watch()
		if g.table != nil {
			return g, nil
		}
		select {
		case <-changed:
		case <-s.ctx.Done():
			return nil, &call.Error{Reason: call.Closed, Code: call.CanceledCode, Err: errClosed}
		case <-ctx.Done():
			if e := c.over(time.Now()); e != nil {
				return nil, e
			}
			return nil, &call.Error{Reason: call.Unanswered, Code: call.Unavailable, Err: s.unrouted()}
		}
	}
}

func (s *Client) unrouted() error {
	if err := s.trouble.Load(); err != nil {
		return fmt.Errorf("%w: %w", errUnrouted, *err)
	}
	return errUnrouted
}
