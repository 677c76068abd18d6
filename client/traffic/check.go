package traffic

import (
	"fmt"
	"math"
	"time"
)

// check finds all mistakes in the policy but those that depend on the process.
func (c *compiler) check() {
	c.destinations = newDestinations(c.policy.Destinations)
	names := make(map[string]int)
	for i := range c.policy.Routes {
		r := &c.policy.Routes[i]
		c.item("Routes", i)
		name := routeName(r, i)
		if other, ok := names[name]; ok {
			c.bad("Name", name, fmt.Sprintf("Routes[%d] has it, too", other))
		}
		names[name] = i
		c.checkRoute(r)
		c.out()
	}
	c.checkDestinations()
	l := c.policy.MirrorLimits
	c.in("MirrorLimits")
	c.atLeast0("Calls", int64(l.Calls))
	c.atLeast0("Bytes", l.Bytes)
	c.duration("Timeout", l.Timeout)
	c.out()
}

// maxDuration bounds every duration, so that sums of them and of times stay what they say.
const maxDuration = 365 * 24 * time.Hour

// duration checks one that is left out where it is 0.
func (c *checker) duration(field string, d time.Duration) {
	switch {
	case d < 0:
		c.bad(field, d, "must not be negative")
	case d > maxDuration:
		c.bad(field, d, "must be at most 8760h, a year")
	}
}

func (c *checker) atLeast0(field string, n int64) {
	if n < 0 {
		c.bad(field, n, "must not be negative")
	}
}

func (c *checker) percent(field string, p float64) {
	if math.IsNaN(p) || p < 0 || p > 100 {
		c.bad(field, p, "must be 0 to 100")
	}
}

// checkSource finds the keys that need the address of this process.
func (c *compiler) checkSource() {
	if c.local.Addr != "" {
		return
	}
	const why = "needs Local.Addr, the address of this process"
	for i := range c.policy.Routes {
		if k := c.policy.Routes[i].Sticky; k != nil && k.Source {
			c.bad(fmt.Sprintf("Routes[%d].Sticky.Source", i), nil, why)
		}
	}
	for i := range c.policy.Destinations {
		d := &c.policy.Destinations[i]
		if bySource(&d.Settings) {
			c.bad(fmt.Sprintf("Destinations[%d].Balance.Hash.Source", i), nil, why)
		}
		for j := range d.Subsets {
			if bySource(&d.Subsets[j].Settings) {
				c.bad(fmt.Sprintf("Destinations[%d].Subsets[%d].Balance.Hash.Source", i, j), nil, why)
			}
		}
	}
}

func bySource(s *Settings) bool {
	return s.Balance != nil && s.Balance.Hash != nil && s.Balance.Hash.Source
}
