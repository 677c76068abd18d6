// Package discoverytest judges a [discovery.Source] by the rules that Source states.
//
// A test of a source calls [Run] with a [Harness], whose Open makes the source over a registry with a given content and
// says how to change that registry:
//
//	func TestSource(t *testing.T) {
//		discoverytest.Run(t, discoverytest.Harness{
//			Open: func(t *testing.T, content discoverytest.Content) discoverytest.Registry {
//				fake := newFakeRegistry(content)
//				t.Cleanup(fake.Close)
//				return discoverytest.Registry{
//					Source: New(fake.URL),
//					Set:    fake.Set,
//					Remove: fake.Remove,
//				}
//			},
//		})
//	}
//
// What a registry cannot do is left nil, and the rules that need it are skipped. A source that waits on timers is best
// tested in simulated time: set Harness.Bubble to [testing/synctest.Test].
package discoverytest

import (
	"testing"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// Content is the state of a registry: the endpoints of each service that it knows.
type Content map[string][]discovery.Endpoint

// Registry is a source and the means to change what it reports.
type Registry struct {
	// Source is what is judged.
	Source discovery.Source
	// Set makes these the endpoints of a service, which need not exist before; none makes it empty. Nil where the
	// content never changes.
	Set func(service string, endpoints []discovery.Endpoint)
	// Remove makes the service unknown to the registry. Nil where that cannot be.
	Remove func(service string)
	// Fail makes the registry unable to answer, and returns, where that can be known, when the source has noticed. Nil
	// where that cannot be.
	Fail func()
	// Recover ends Fail: the registry is what it was before.
	Recover func()
}

// Harness says how to test a source.
type Harness struct {
	// Open makes a source over a registry that holds content and nothing else. What must be ended is registered with
	// t.Cleanup. It runs once for each rule.
	Open func(t *testing.T, content Content) Registry
	// Port stands behind every service's name and in every address that the tests use, for sources that are asked with
	// a port. 0: names have none, and addresses have 8080.
	Port uint16
	// AddressOnly is set for sources that know of endpoints nothing but their addresses.
	AddressOnly bool
	// Bubble runs each rule, Open included. Set it to synctest.Test for simulated time. Nil: real time.
	Bubble func(t *testing.T, f func(*testing.T))
	// Patience bounds the wait for something that must happen. 0: a minute in real time; two hours in a Bubble, where
	// they cost nothing.
	Patience time.Duration
}

// Run checks every rule as a subtest.
func Run(t *testing.T, h Harness) {
	if h.Bubble == nil {
		h.Bubble = func(t *testing.T, f func(*testing.T)) { f(t) }
		if h.Patience == 0 {
			h.Patience = time.Minute
		}
	}
	if h.Patience == 0 {
		h.Patience = 2 * time.Hour
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			h.Bubble(t, func(t *testing.T) { r.check(&suite{T: t, Harness: h}) })
		})
	}
}

type rule struct {
	name  string
	check func(*suite)
}

// rules are in the order of Source's documentation.
var rules = []rule{
	{"first answer", firstAnswer},
	{"empty answer", emptyAnswer},
	{"absent", absent},
	{"details", details},
	{"many endpoints", manyEndpoints},
	{"changes arrive", changesArrive},
	{"appears and vanishes", appearsAndVanishes},
	{"empties", empties},
	{"details change", detailsChange},
	{"failure keeps the last set", failureKeepsTheSet},
	{"starts during a failure", startsDuringFailure},
	{"end of context", endOfContext},
	{"context has ended", contextHasEnded},
	{"context ends in the callback", contextEndsInCallback},
	{"concurrent watches", concurrentWatches},
	{"services are independent", servicesAreIndependent},
	{"nothing is left behind", nothingIsLeft},
}
