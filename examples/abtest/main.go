// Command abtest sends users to one of two versions by header, cookie or a key of their own, and keeps each on the same
// version while the weights change. See README.md.
package main

import (
	_ "embed"
	"fmt"
	"io"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/examples/internal/orders"
	"github.com/intramesh/intramesh/examples/internal/plane"
)

// policyJSON is what would be a file beside the program, or come from wherever a team keeps its configuration.
//
//go:embed policy.json
var policyJSON []byte

func main() { plane.Main("abtest", run) }

// policy is the one of the file, in which the last route gives v2 so many percent. Its name says so too, and a call that
// asks for client.Info is told by which route it went.
func policy(v2 uint32) (traffic.Policy, error) {
	p, err := traffic.Parse(policyJSON)
	if err != nil {
		return p, err
	}
	r := &p.Routes[len(p.Routes)-1]
	r.Name = fmt.Sprintf("%s-%d", r.Name, v2)
	r.To[0].Weight, r.To[1].Weight = 100-v2, v2
	return p, nil
}

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
	p, err := policy(10)
	if err != nil {
		return err
	}
	where, end, err := plane.Open(mesh, p)
	if err != nil {
		return err
	}
	defer end()
	if err := explain(out, where.Policy()); err != nil {
		return err
	}
	c, err := client.New(client.Config{Discovery: orders.Versions(servers...), Traffic: where})
	if err != nil {
		return err
	}
	defer c.Close()
	oc, err := orders.Dial(c)
	if err != nil {
		return err
	}
	defer oc.Close()
	s := &show{out: out, orders: oc}
	s.live, _ = where.(*traffic.Live)
	return s.run()
}

// explain says what the policy makes of two requests, and why. It needs no client and asks nobody.
func explain(out io.Writer, p traffic.Policy) error {
	table, err := traffic.Compile(p, traffic.Local{})
	if err != nil {
		return err
	}
	fmt.Fprint(out, "GET /pages/7:\n",
		table.Explain(&traffic.Request{Scheme: "http", Service: "orders", Method: "GET", Path: "/pages/7"}))
	fmt.Fprint(out, "shop.Orders/Place:\n",
		table.Explain(&traffic.Request{GRPC: true, Service: "orders", Method: "POST", Path: "/shop.Orders/Place"}))
	return nil
}
