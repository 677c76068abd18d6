// Command consul runs the quickstart's shop with Consul as its registry: services register themselves and find each other
// by it, come, go and die, and so do an agent and the leader of its servers. See README.md.
package main

import (
	"flag"
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

func main() {
	s := new(show)
	flag.StringVar(&s.given, "consul", "",
		"address of the Consul agent on this host; empty: CONSUL_HTTP_ADDR, else a cluster of its own")
	shop.Main(s.config())
}

// show is what happens in the shop, and the Consul that it happens with.
type show struct {
	given   string   // address of a Consul that is there already; empty: none is
	cluster *cluster // nil: Consul is not ours
	consul  *view    // of whom the steps ask what Consul knows
	moments moments
}

func (s *show) config() shop.Config {
	return shop.Config{
		Name: "consul",
		// All but the edge on either host, so that each can do without the agent of the other.
		Instances:  map[string]int{"inventory": 3, "orders": 2, "payments": 2, "reviews": 2},
		DrainDelay: drainDelay,
		Records:    records,
		Leave:      true,
		Open:       s.open,
		Abandoned:  abandoned,
		Script:     s.script,
		Env:        s.env,
		List:       s.list,
		Find:       find,
		Register:   register,
	}
}

// drainDelay is how long a server that leaves goes on, so that the news can travel: to the agent, to the servers, and
// through a blocking query to each caller, which takes less than a second.
const drainDelay = time.Second
