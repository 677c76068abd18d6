// Command canary moves the traffic of a service from one version to the next, 10 to 50 to 100 %, while it flows. See
// README.md.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "canary:", err)
		os.Exit(1)
	}
}

// policy gives v2 so many percent of the calls, and v1 the rest.
func policy(v2 uint32) traffic.Policy {
	return traffic.Policy{
		Routes: []traffic.Route{{
			Name:  fmt.Sprintf("canary-%d", v2),
			Hosts: []string{"orders"},
			To:    []traffic.Backend{{Subset: "v1", Weight: 100 - v2}, {Subset: "v2", Weight: v2}},
		}},
		// What the versions are: endpoints by their labels.
		Destinations: []traffic.Destination{{
			Service: "orders",
			Subsets: []traffic.Subset{
				{Name: "v1", Labels: map[string]string{"version": "1"}},
				{Name: "v2", Labels: map[string]string{"version": "2"}},
			},
		}},
	}
}

func run(out io.Writer) error {
	var servers []*orders.Server
	for _, version := range []string{"v1", "v2"} {
		s, err := orders.Listen(orders.Config{Name: version})
		if err != nil {
			return err
		}
		defer s.Close()
		servers = append(servers, s)
	}

	// Live is a policy that this program changes. A client takes whatever is a traffic.Source.
	live, err := traffic.NewLive(policy(10))
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {
			{Addr: servers[0].Addr, Metadata: map[string]string{"version": "1"}},
			{Addr: servers[1].Addr, Metadata: map[string]string{"version": "2"}},
		}},
		Traffic: live,
	})
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintf(out, "the policy: %v\n", live.Policy())

	callers, err := start(c)
	if err != nil {
		return err
	}
	for _, v2 := range []uint32{10, 50, 100} {
		if err := live.Set(policy(v2)); err != nil {
			return err
		}
		callers.await(policy(v2).Routes[0].Name).print(out)
	}
	// A policy that cannot be honoured changes nothing.
	bad := policy(50)
	bad.Routes[0].To[1].Subset = "v3"
	fmt.Fprintln(out, live.Set(bad))
	return callers.stop(out)
}
