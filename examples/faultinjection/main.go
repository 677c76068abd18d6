// Command faultinjection makes calls fail on purpose: some of all, or the one that asks for it, above retries or beneath
// them. See README.md.
package main

import (
	_ "embed"
	"fmt"
	"io"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/orders"
	"github.com/intramesh/intramesh/examples/internal/plane"
	"github.com/intramesh/intramesh/resilience"
)

//go:embed policy.json
var policyJSON []byte

func main() { plane.Main("faultinjection", run) }

func run(out io.Writer, mesh string) error {
	policy, err := traffic.Parse(policyJSON)
	if err != nil {
		return err
	}
	where, end, err := plane.Open(mesh, policy)
	if err != nil {
		return err
	}
	defer end()
	server, err := orders.Listen(orders.Config{Name: "orders"})
	if err != nil {
		return err
	}
	defer server.Close()
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: server.Addr}}},
		Traffic:   where,
		// An attempt may take 100 ms, and there are four more. There is no budget: this is about faults.
		Resilience: resilience.Config{Default: resilience.Policy{Retry: &resilience.Retry{
			Retries: 4, PerTry: 100 * time.Millisecond, Backoff: resilience.Backoff{Base: time.Millisecond},
		}}},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	oc, err := orders.Dial(c)
	if err != nil {
		return err
	}
	defer oc.Close()

	fmt.Fprintf(out, "%-18s  %-4s  %s  %s\n", "20 % of", "over", "calls that failed", "attempts with a fault")
	for _, name := range cases(where.Policy()) {
		for _, p := range oc.Protocols() {
			t := tally(p.Call, name)
			fmt.Fprintf(out, "%-18s  %-4s  %15d %%  %19d %%\n", name, p.Name, t.failed.percent(calls), t.faulty.percent(t.attempts))
		}
	}
	if mesh != "" {
		return nil // Istio has no faults that a request asks for
	}
	return requests(out, oc)
}

// cases are those of the routes whose faults act on a part of what passes: routes match by a header that has such a value.
func cases(p traffic.Policy) (list []string) {
	for _, r := range p.Routes {
		if len(r.Faults) > 0 && r.Faults[0].Percent < 100 {
			list = append(list, r.Match[0].Headers[0].Value.Text)
		}
	}
	return list
}
