package stack

import (
	"slices"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/resilience"
)

// Retries are the retry policies that a call to a service may fall under, whichever route it matches, and a channel that is
// closed when they may be others. It is for wires that have to know of retries before there is a call, as gRPC does for its
// streams: each of them may be among those of a call, and none that is not here can be.
func (s *Client) Retries(service string) ([]*resilience.Retry, <-chan struct{}) {
	g, changed := s.now.Watch()
	var all []*resilience.Retry
	add := func(r *resilience.Retry) {
		if r != nil && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	add(g.retry(service, ""))
	if g.table == nil {
		return all, changed
	}
	routes := g.table.Policy().Routes
	for i := range routes {
		switch r := &routes[i]; {
		case r.NoRetry || !mayMatch(r.Hosts, service):
		case r.Retry != nil:
			add(r.Retry)
		default:
			for j := range r.To {
				add(g.retry(r.To[j].Destination(service), r.To[j].Subset))
			}
		}
	}
	return all, changed
}

// retry is the policy of a destination; nil for none, and where there is no such subset.
func (g *generation) retry(service, subset string) *resilience.Retry {
	p, _, err := g.policyFor(service, SplitPort(service), subset)
	if err != nil {
		return nil
	}
	return p.Retry
}

// mayMatch reports whether a route with these hosts may be the one of a call to service. It leaves ports out of account.
func mayMatch(hosts []string, service string) bool {
	if len(hosts) == 0 {
		return true
	}
	name := SplitPort(service)
	return slices.ContainsFunc(hosts, func(h string) bool {
		h = SplitPort(h)
		if suffix, ok := strings.CutPrefix(h, "*"); ok {
			return len(name) >= len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix)
		}
		return strings.EqualFold(h, name)
	})
}

// Retry is the retry policy that the call is under; nil for none.
func (c *Call) Retry() *resilience.Retry {
	switch {
	case !c.Retries():
		return nil
	case c.rule != nil && c.rule.Route.Retry != nil:
		return c.rule.Route.Retry
	}
	return c.dest.regime.Load().policy.Retry
}

// rewriter is a wire for which another path is more than a string, as for gRPC, where it is another method.
type rewriter interface{ Rewrite() error }

// rewrite has the wire take note of a route that changes the path.
func (c *Call) rewrite(r *traffic.Rewrite) error {
	if r == nil {
		return nil
	}
	if w, ok := c.Wire.(rewriter); ok {
		return w.Rewrite()
	}
	return nil
}
