package main

import (
	"strings"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// script is the steps in their order.
func (s *show) script() []shop.Step {
	return []shop.Step{
		{
			Says: "inventory-1 is killed (SIGKILL), and stays on the list for %s",
			Time: 1, Run: s.killInventory,
			Mesh: func(sh *shop.Shop, _, during shop.State) string { return sh.Repeats(during, "inventory") },
		},
		{
			Says: "inventory-4 joins",
			Time: 0.8, Run: joinInventory,
			Mesh: func(sh *shop.Shop, _, during shop.State) string {
				return "inventory-4 " + sh.Share(during.Calls, "inventory-4")
			},
		},
		{
			Says: "inventory-2 becomes ten times slower, for %s",
			Time: 1, Run: slowInventory,
			Mesh: func(sh *shop.Shop, before, during shop.State) string {
				return "inventory-2 " + sh.Share(during.Calls, "inventory-2") +
					"; before, it " + sh.Share(before.Calls, "inventory-2")
			},
		},
		{
			Says: "inventory-3 is stopped (SIGSTOP), and continued (SIGCONT) after %s",
			Time: 1.6, Run: stopInventory,
			Mesh: func(sh *shop.Shop, _, during shop.State) string {
				return sh.Repeats(during, "inventory") + "; inventory-3 " + sh.Share(during.Calls, "inventory-3")
			},
		},
		{
			Says: "payments-1 is restarted: off the list, drained, ended; payments-3 comes instead",
			Time: 1, Run: s.restartPayments,
			Mesh: func(sh *shop.Shop, _, during shop.State) string {
				return sh.Repeats(during, "payments") + "; payments-3 " + sh.Share(during.Calls, "payments-3")
			},
		},
		{
			Says: "inventory v2 joins (inventory-5 and -6), and takes over from v1: 10, 50 and 100 % of the calls",
			Time: 2.4, Run: s.shiftInventory, Mesh: s.shifted,
		},
		{Says: "all processes get new certificates", Time: 0.8, Run: s.renewCertificates, Mesh: s.renewed},
		{Says: "the root of all certificates is replaced", Time: 1, Run: s.replaceRoot, Mesh: s.renewed},
		{
			Says: "three callers try what they may not",
			Time: 0.6, Run: s.trespassAll,
			Mesh: func(*shop.Shop, shop.State, shop.State) string { return strings.Join(s.moments.refusals, "\n") },
		},
		{
			Says: "reviews fail altogether (SIGKILL), and come back after %s",
			Time: 1.8, Run: s.failReviews, Mesh: s.outage,
		},
	}
}
