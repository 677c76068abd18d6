package main

// state is what a process says of itself, or what all of them do together.
type state struct {
	Calls  stats  `json:"calls"`  // that it made
	Events events `json:"events"` // that it noticed
	Serial string `json:"serial"` // of the certificate that it uses; empty for all together
}

func newState() state { return state{Calls: stats{}, Events: events{}} }

func (s state) merge(o state) {
	s.Calls.merge(o.Calls)
	s.Events.merge(o.Events)
}

// since is s without what had happened at the time of o.
func (s state) since(o state) state {
	return state{Calls: s.Calls.since(o.Calls), Events: s.Events.since(o.Events)}
}

// state is what the process has seen so far.
func (n *node) state() state {
	m, _ := n.identity.Watch()
	return state{n.calls.snapshot(), n.diary.snapshot(), m.Certificate().Leaf.SerialNumber.String()}
}
