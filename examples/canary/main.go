// Command canary moves the traffic of a service from one version to the next, 10 to 50 to 100 %, while it flows. See
// README.md.
package main

import (
	"fmt"
	"io"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/orders"
	"github.com/intramesh/intramesh/examples/internal/plane"
)

func main() { plane.Main("canary", run) }

func run(out io.Writer, mesh string) error {
	var servers []*orders.Server
	for _, version := range []string{"v1", "v2"} {
		s, err := orders.Listen(orders.Config{Name: version})
		if err != nil {
			return err
		}
		defer s.Close()
		servers = append(servers, s)
	}

	p, err := open(mesh, servers)
	if err != nil {
		return err
	}
	defer p.end()
	c, err := client.New(client.Config{Discovery: p.endpoints(), Traffic: p})
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintf(out, "the policy: %v\n", p.Policy())

	callers, err := start(c)
	if err != nil {
		return err
	}
	for _, v2 := range []uint32{10, 50, 100} {
		if err := p.weigh(v2); err != nil {
			return err
		}
		callers.await(rule(v2)).print(out)
	}
	// A policy that cannot be honoured changes nothing.
	fmt.Fprintln(out, p.spoil())
	return callers.stop(out)
}

// canary is where calls go, and can be changed while they do.
type canary interface {
	plane.Source

	endpoints() discovery.Source // of orders
	weigh(v2 uint32) error       // gives v2 so many percent of the calls, by a route with a name of its own
	spoil() error                // tries a change that cannot be honoured, and returns why it cannot
	end()
}

// rule is the name of the route by which v2 has so many percent.
func rule(v2 uint32) string { return fmt.Sprintf("canary-%d", v2) }

// open is a folder of manifests, or the policy of this program.
func open(mesh string, servers []*orders.Server) (canary, error) {
	if mesh == "" {
		return newProgram(servers)
	}
	return newFolder(mesh, servers)
}
