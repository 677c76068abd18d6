// Command abtest sends users to one of two versions by header, cookie or a key of their own, and keeps each on the same
// version while the weights change. See README.md.
package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

// policyJSON is what would be a file beside the program, or come from wherever a team keeps its configuration.
//
//go:embed policy.json
var policyJSON []byte

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "abtest:", err)
		os.Exit(1)
	}
}

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

func run(out io.Writer) error {
	var endpoints []discovery.Endpoint
	for _, version := range []string{"1", "2"} {
		s, err := orders.Listen(orders.Config{Name: "v" + version})
		if err != nil {
			return err
		}
		defer s.Close()
		endpoints = append(endpoints, discovery.Endpoint{Addr: s.Addr, Metadata: map[string]string{"version": version}})
	}
	p, err := policy(10)
	if err != nil {
		return err
	}
	if err := explain(out, p); err != nil {
		return err
	}
	live, err := traffic.NewLive(p)
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{Discovery: discovery.Static{"orders": endpoints}, Traffic: live})
	if err != nil {
		return err
	}
	defer c.Close()
	oc, err := orders.Dial(c)
	if err != nil {
		return err
	}
	defer oc.Close()
	s := &show{out: out, live: live, orders: oc}
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
