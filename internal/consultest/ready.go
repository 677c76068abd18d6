package consultest

import (
	"time"

	"github.com/hashicorp/consul/api"
)

// patience bounds the wait for an agent on a busy machine.
const patience = 2 * time.Minute

// WaitReady waits until the agent knows a leader that has read its whole log, and finds itself in the catalog: one that
// has only just been elected may still answer with what there was before, or with nothing.
func (s *Server) WaitReady() {
	s.t.Helper()
	c := s.Client()
	s.Until("it is ready", func() bool {
		if !s.proc.running() {
			s.t.Fatalf("%s has ended:\n%s", s.name, s.logTail())
		}
		leader, err := c.Status().Leader()
		if err != nil || leader == "" {
			return false
		}
		node, _, err := c.Catalog().Node(s.name, &api.QueryOptions{RequireConsistent: true})
		return err == nil && node != nil && (len(s.cfg.Join) > 0 || len(node.Services) > 0)
	})
}

// Until waits for something to be true, and fails the test where it does not come.
func (s *Server) Until(what string, ok func() bool) {
	s.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			s.t.Fatalf("%s: waited %v until %s", s.name, patience, what)
		}
	}
}

// Leader is the one of the servers that leads, and fails the test where there is none for long.
func Leader(servers []*Server) *Server {
	var leader *Server
	first := servers[0]
	first.t.Helper()
	first.Until("there is a leader", func() bool {
		for _, s := range servers {
			if !s.proc.running() {
				continue
			}
			addr, err := s.Client().Status().Leader()
			for _, l := range servers {
				if err == nil && addr == l.RaftAddr() && l.proc.running() {
					leader = l
					return true
				}
			}
		}
		return false
	})
	return leader
}
