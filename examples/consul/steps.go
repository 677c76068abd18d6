package main

import (
	"time"

	"github.com/intramesh/intramesh/examples/internal/shop"
)

// moments are what the line of a step tells beyond the sums.
type moments struct {
	took time.Duration // until what the step waits for had happened
	led  string        // who leads
}

// script is the steps in their order. A Consul that is not ours keeps its agents and its leader.
func (s *show) script() []shop.Step {
	steps := []shop.Step{
		{
			Says: "inventory is scaled up: inventory-4 and -5 register themselves",
			Time: 1, Run: s.scaleUp, Mesh: s.scaledUp,
		},
		{
			Says: "inventory is scaled down: inventory-4 and -5 drain and leave (SIGTERM)",
			Time: 1, Run: s.scaleDown, Mesh: s.scaledDown,
		},
		{
			Says: "inventory-1 is killed (SIGKILL), and nobody tells Consul",
			Time: 1, Run: s.killInstance, Mesh: s.killed,
		},
		{
			Says: "agent-2 is killed (SIGKILL), and comes back after %s with nothing of what it knew",
			Time: 2, Run: s.restartAgent, Mesh: s.restarted,
		},
		{
			Says: "the leader of the three servers is killed (SIGKILL), and comes back after %s",
			Time: 2, Run: s.killLeader, Mesh: s.ledAgain,
		},
	}
	if s.given != "" {
		return steps[:3]
	}
	return steps
}
