package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
)

// followed is what says where the calls of a process go. It notes what its client goes by, for the parent to see.
type followed struct {
	traffic.Source

	node *node
}

// WatchTraffic hands on what the source says: when the client's function has returned, its calls go by the new policy.
func (f *followed) WatchTraffic(ctx context.Context, fn func(traffic.Update)) error {
	return f.Source.WatchTraffic(ctx, func(u traffic.Update) {
		fn(u)
		if u.Err == nil {
			f.node.routes.Store(&u.Policy)
		}
	})
}

var (
	errUnrouted  = errors.New("a process does not go by the new policy")
	errUnnoticed = errors.New("a process has not noticed what it should")
)

// Routed waits until the calls of all who call a service go by a policy.
func (sh *Shop) Routed(ctx context.Context, service string, want traffic.Policy) error {
	return Until(ctx, errUnrouted, func() (bool, error) {
		return sh.callers(service, func(s State) bool { return s.Traffic != nil && s.Traffic.Equal(want) })
	})
}

// Noticed waits until all who call a service have noted something since a time. It says who was the last of them, and the
// detail.
func (sh *Shop) Noticed(ctx context.Context, service, what string, since time.Time) (who, detail string, err error) {
	err = Until(ctx, errUnnoticed, func() (bool, error) {
		return sh.callers(service, func(s State) bool {
			for key, e := range s.Events {
				if of(key) == what && e.Last.After(since) {
					who, detail, _ = strings.Cut(strings.TrimPrefix(key, what+" "), " ")
					return true
				}
			}
			return false
		})
	})
	return who, detail, err
}

// callers asks all who call a service, and says whether something holds for each of them.
func (sh *Shop) callers(service string, holds func(State) bool) (bool, error) {
	for _, p := range sh.Running() {
		if !slices.Contains(callers[service], p.Service) {
			continue
		}
		if s, err := p.Ask(); err != nil || !holds(s) {
			return false, err
		}
	}
	return true, nil
}

var errUnheard = errors.New("a process has not heard of new endpoints")

// Heard waits until all who call a service have heard of as many endpoints as it has now. The news of the registry takes a
// moment, and a version of which a caller knows no endpoint is one that it cannot call.
func (sh *Shop) Heard(ctx context.Context, service string, since time.Time) error {
	var now []*Process
	for _, p := range sh.Running() {
		if p.Service == service {
			now = append(now, p)
		}
	}
	key := fmt.Sprintf("%s %s %d", known, service, len(now))
	return Until(ctx, errUnheard, func() (bool, error) {
		return sh.callers(service, func(s State) bool { return s.Events[key].Last.After(since) })
	})
}

// OfVersion are the processes of a service that run and are of a version.
func (sh *Shop) OfVersion(service, version string) []*Process {
	var all []*Process
	for _, p := range sh.Running() {
		if p.Service == service && p.Version == version {
			all = append(all, p)
		}
	}
	return all
}

// StockReceipts are how many purchases buyers were told of so far, by the process that took the stock.
func (sh *Shop) StockReceipts() map[string]int {
	sh.load.mu.Lock()
	defer sh.load.mu.Unlock()
	all := map[string]int{}
	for _, p := range sh.load.told {
		name, _, _ := strings.Cut(p.StockReceipt, "/")
		all[name]++
	}
	return all
}
