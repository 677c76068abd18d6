// Command faultinjection makes calls fail on purpose: some of all, or the one that asks for it, above retries or beneath
// them. See README.md.
package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/orders"
	"github.com/intramesh/intramesh/resilience"
)

//go:embed policy.json
var policyJSON []byte

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "faultinjection:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	policy, err := traffic.Parse(policyJSON)
	if err != nil {
		return err
	}
	server, err := orders.Listen(orders.Config{Name: "orders"})
	if err != nil {
		return err
	}
	defer server.Close()
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": {{Addr: server.Addr}}},
		Traffic:   policy,
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
	for _, name := range []string{"aborts-of-calls", "aborts-of-attempts", "delays-of-attempts"} {
		for _, p := range oc.Protocols() {
			t := tally(p.Call, name)
			fmt.Fprintf(out, "%-18s  %-4s  %15d %%  %19d %%\n", name, p.Name, t.failed.percent(calls), t.faulty.percent(t.attempts))
		}
	}
	return requests(out, oc)
}
