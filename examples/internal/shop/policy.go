package shop

import (
	"time"

	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
)

// edge is the service that faces the user. It has an identity as a caller, and serves whoever comes.
const edge = "web"

// callers says who may call a service, and so who may not: everybody else.
var callers = map[string][]string{
	"orders":    {"web"},
	"inventory": {"web", "orders"},
	"payments":  {"orders"},
	"reviews":   {"web"},
}

// callersOf is that as a rule.
func callersOf(service string) security.Authorizer {
	var ids []string
	for _, caller := range callers[service] {
		ids = append(ids, IdentityOf(caller))
	}
	return security.AllowID(ids...)
}

// policy is how calls are kept alive. What suits most services does for all, with two exceptions.
//
// Inventory answers within milliseconds or is stuck, so an attempt that takes a second is given up, and there are enough
// instances to ask more. One that fails three times in a row is out for half a second at first; five times and 30 s are
// usual, and the whole show takes no longer.
//
// Reviews are what pages can do without. If half of the calls of a second fail, the breaker spares everybody the rest, and
// tries again every half second; ten and five seconds are usual.
func policy() resilience.Config {
	inventory := resilience.Standard()
	inventory.Retry = &resilience.Retry{PerTry: time.Second, Retries: 4}
	inventory.Outlier = &resilience.Outlier{Consecutive5xx: 3, BaseEjection: 500 * time.Millisecond}
	reviews := resilience.Standard()
	reviews.Breaker = &resilience.Breaker{Window: time.Second, Open: breakerOpen, MaxOpen: breakerOpen}
	return resilience.Config{
		Default:  resilience.Standard(),
		Services: map[string]resilience.Policy{"inventory": inventory, "reviews": reviews},
	}
}

// breakerOpen is how long the breaker of reviews refuses calls before it lets one through to find out.
const breakerOpen = 500 * time.Millisecond
