package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// restartAgent takes from the second host its agent and from the agent its memory. When the agent is back it tells the
// servers that nothing runs there, until the processes have noticed and have registered again.
func (s *show) restartAgent(ctx context.Context, sh *shop.Shop, trouble time.Duration) error {
	a := s.cluster.agents[1]
	a.kill()
	shop.Sleep(ctx, trouble)
	if err := a.forget(); err != nil {
		return err
	}
	if err := a.start(); err != nil {
		return err
	}
	back := time.Now()
	defer func() { s.moments.took = time.Since(back) }()
	if err := a.ready(ctx); err != nil {
		return err
	}
	for _, p := range s.on(sh, a) {
		if err := a.knows(ctx, p); err != nil {
			return err
		}
		if err := s.consul.becomes(ctx, p, true); err != nil {
			return err
		}
	}
	return nil
}

// on are the processes of the shop on the host of an agent.
func (s *show) on(sh *shop.Shop, a *agent) []*shop.Process {
	return slices.DeleteFunc(sh.Running(), func(p *shop.Process) bool { return s.cluster.agentOf(p.Name) != a })
}

func (s *show) restarted(sh *shop.Shop, _, during shop.State) string {
	var names []string
	for _, p := range s.on(sh, s.cluster.agents[1]) {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return fmt.Sprintf("%s\n%s registered again, the last %s after the agent had started\n%s", kept(during),
		strings.Join(names, ", "), shop.Round(s.moments.took), repeats(sh, during))
}

// killLeader waits until another server leads, has an instance of inventory register with it, and brings the first back.
func (s *show) killLeader(ctx context.Context, sh *shop.Shop, trouble time.Duration) error {
	old, err := s.cluster.leader(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	old.kill()
	next, err := s.cluster.leader(ctx)
	if err != nil {
		return err
	}
	s.moments.led = fmt.Sprintf("%s led after %s in the place of %s", next.name, shop.Round(time.Since(start)), old.name)
	if err := sh.Start(ctx, "inventory"); err != nil {
		return err
	}
	if err := s.called(ctx, sh, replacement); err != nil {
		return err
	}
	shop.Sleep(ctx, time.Until(start.Add(trouble)))
	if err := old.start(); err != nil {
		return err
	}
	back := time.Now()
	defer func() { s.moments.took = time.Since(back) }()
	return old.ready(ctx)
}

func (s *show) ledAgain(sh *shop.Shop, _, during shop.State) string {
	m := s.moments
	return strings.Join([]string{
		kept(during),
		fmt.Sprintf("%s; then %s registered, and %s", m.led, replacement, sh.Share(during.Calls, replacement)),
		fmt.Sprintf("the old leader followed the new one %s after it had started", shop.Round(m.took)),
		repeats(sh, during),
	}, "\n")
}

// kept names the services of which a caller went on with what it knew, because Consul did not answer.
func kept(during shop.State) string {
	var names []string
	for key := range during.Events {
		if name, ok := strings.CutPrefix(key, held+" "+prefix); ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "no caller has noticed"
	}
	slices.Sort(names)
	return "callers went on with the endpoints that they knew, of " + strings.Join(names, ", ")
}

// repeats says which attempts were followed by another.
func repeats(sh *shop.Shop, during shop.State) string {
	var lines []string
	for _, service := range services {
		if text := sh.Repeats(during, service); text != shop.NoRepeats {
			lines = append(lines, service+": "+text)
		}
	}
	if len(lines) == 0 {
		return shop.NoRepeats
	}
	return strings.Join(lines, "\n")
}
