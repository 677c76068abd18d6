package shop

import "github.com/intramesh/intramesh/client/traffic"

// State is what a process says of itself, or what all of them do together.
type State struct {
	Calls  Stats  `json:"calls"`  // that it made
	Events Events `json:"events"` // that it noticed

	// What is of one process, and empty for all together.
	Serial  string          `json:"serial"`            // of the certificate that it uses
	Traffic *traffic.Policy `json:"traffic,omitempty"` // by which its calls go; nil: none
}

func newState() State { return State{Calls: Stats{}, Events: Events{}} }

func (s State) merge(o State) {
	s.Calls.merge(o.Calls)
	s.Events.merge(o.Events)
}

// Since is s without what had happened at the time of o.
func (s State) Since(o State) State {
	return State{Calls: s.Calls.since(o.Calls), Events: s.Events.since(o.Events)}
}

// state is what the process has seen so far.
func (n *node) state() State {
	m, _ := n.identity.Watch()
	return State{n.calls.snapshot(), n.diary.snapshot(), m.Certificate().Leaf.SerialNumber.String(), n.routes.Load()}
}
