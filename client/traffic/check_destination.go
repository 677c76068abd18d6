package traffic

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
)

func (c *compiler) checkDestinations() {
	type key struct {
		service string
		port    uint16
	}
	seen := make(map[key]int)
	for i := range c.policy.Destinations {
		d := &c.policy.Destinations[i]
		c.item("Destinations", i)
		c.checkHost("Service", d.Service, false)
		k := key{lowerString(d.Service), d.Port}
		if j, ok := seen[k]; ok {
			c.bad("Service", d.Service, fmt.Sprintf("Destinations[%d] is for the same", j))
		}
		seen[k] = i
		c.checkSettings(&d.Settings)
		c.checkSubsets(d.Subsets)
		c.out()
	}
}

func (c *compiler) checkSubsets(subsets []Subset) {
	seen := make(map[string]int)
	for i := range subsets {
		s := &subsets[i]
		c.item("Subsets", i)
		if s.Name == "" {
			c.bad("Name", nil, "must not be empty")
		}
		if j, ok := seen[s.Name]; ok {
			c.bad("Name", s.Name, fmt.Sprintf("Subsets[%d] has it, too", j))
		}
		seen[s.Name] = i
		if _, ok := s.Labels[""]; ok {
			c.bad("Labels", nil, "the name of a label must not be empty")
		}
		c.checkSettings(&s.Settings)
		c.out()
	}
}

func (c *compiler) checkSettings(s *Settings) {
	if s.Balance != nil {
		c.in("Balance")
		c.checkBalance(s.Balance)
		c.out()
	}
	if s.Locality != nil {
		c.in("Locality")
		c.checkLocality(s.Locality)
		c.out()
	}
	if s.Connections != nil {
		c.in("Connections")
		c.checkConnections(s.Connections)
		c.out()
	}
	c.in("Resilience")
	c.checkResilience(s.Resilience)
	c.out()
	if s.TLS != nil {
		c.in("TLS")
		c.checkTLS(s.TLS)
		c.out()
	}
}

// checkBalance asks package balance, and finds besides what the algorithm would not heed.
func (c *compiler) checkBalance(b *Balance) {
	c.joined("balance: ", b.Config().Validate())
	keyed := b.Algorithm.Keyed()
	if keyed && b.Hash == nil {
		c.bad("Hash", nil, "is needed: "+string(b.Algorithm)+" places requests by it")
	}
	if b.Hash != nil {
		c.checkKey("Hash", b.Hash)
	}
	is := func(algorithms ...balance.Algorithm) bool {
		return slices.Contains(algorithms, b.Algorithm)
	}
	for _, f := range []struct {
		field     string
		set, used bool
	}{
		{"Hash", b.Hash != nil, keyed},
		{"BoundedLoad", b.BoundedLoad != 0, keyed},
		{"RingMin", b.RingMin != 0, is(balance.RingHash)},
		{"RingMax", b.RingMax != 0, is(balance.RingHash)},
		{"TableSize", b.TableSize != 0, is(balance.Maglev)},
		{"Choices", b.Choices != 0, is("", balance.LeastRequest)},
		{"SlowStart", b.SlowStart != nil, is("", balance.LeastRequest, balance.RoundRobin)},
	} {
		if f.set && !f.used {
			c.bad(f.field, nil, fmt.Sprintf("has no effect with the algorithm %q", string(b.Algorithm)))
		}
	}
	if s := b.SlowStart; s != nil {
		c.duration("SlowStart.Window", s.Window)
	}
}

// Config is what package balance makes a picker by.
func (b *Balance) Config() balance.Config {
	c := balance.Config{
		Algorithm: b.Algorithm, Choices: b.Choices, RingMin: b.RingMin, RingMax: b.RingMax, TableSize: b.TableSize,
		BoundedLoad: b.BoundedLoad,
	}
	if s := b.SlowStart; s != nil {
		c.SlowStart = &balance.SlowStart{Window: s.Window, MinPercent: s.MinPercent, Aggression: s.Aggression}
	}
	return c
}

func (c *compiler) checkResilience(p resilience.Policy) {
	if p != (resilience.Policy{}) {
		c.joined("resilience: Default.", resilience.Config{Default: p}.Validate())
	}
}

func (c *compiler) checkRouteRetry(r *resilience.Retry) {
	c.joined("resilience: Default.", resilience.Config{Default: resilience.Policy{Retry: r}}.Validate())
	c.checkPerTry(r)
}

func (c *compiler) checkPerTry(r *resilience.Retry) {
	if r.PerTry > maxDuration {
		c.duration("Retry.PerTry", r.PerTry)
	}
}

// joined takes over the mistakes that another package found, each of which names its field after a prefix.
func (c *checker) joined(prefix string, err error) {
	if err == nil {
		return
	}
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		for _, e := range many.Unwrap() {
			c.joined(prefix, e)
		}
		return
	}
	field, why, ok := strings.Cut(strings.TrimPrefix(err.Error(), prefix), ": ")
	if !ok {
		field, why = "", err.Error()
	}
	c.bad(field, nil, why)
}
