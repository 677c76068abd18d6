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

// Route tells all processes where their calls go from now on. In a real system a policy comes from wherever a team keeps
// its configuration, and each process watches that; here the parent hands it out.
func (sh *Shop) Route(p traffic.Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	for _, process := range sh.Running() {
		if err := process.Route(p); err != nil {
			return err
		}
	}
	return nil
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
		for _, p := range sh.Running() {
			if !slices.Contains(callers[service], p.Service) {
				continue
			}
			if s, err := p.Ask(); err != nil || !s.Events[key].Last.After(since) {
				return false, err
			}
		}
		return true, nil
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
