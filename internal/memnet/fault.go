package memnet

// Refuse makes new connections to addr fail with ECONNREFUSED, as if the process were gone, although somebody listens.
// Connections that exist live on; see [Network.Cut].
func (n *Network) Refuse(addr string) { n.setFault(addr, refusing) }

// BlackHole makes addr swallow everything, as a host does that lost its power: dialling hangs until its context ends,
// and on connections that exist nothing arrives any more, in neither direction, not even that the peer has closed.
func (n *Network) BlackHole(addr string) { n.setFault(addr, blackHole) }

// Restore ends what [Network.Refuse] and [Network.BlackHole] did. What was written into the black hole arrives, as TCP
// sends again what was lost.
func (n *Network) Restore(addr string) { n.setFault(addr, none) }

// Cut resets all connections to addr and says how many there were. Both sides see ECONNRESET at once, and what was
// under way is lost.
func (n *Network) Cut(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.host(addr)
	for l := range h.links {
		l.reset()
		l.stall(false)
	}
	cut := len(h.links)
	clear(h.links)
	return cut
}

// Conns is the number of connections to addr that are open on at least one side. A test that expects 0 finds leaks.
func (n *Network) Conns(addr string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.host(addr).links)
}

func (n *Network) setFault(addr string, f fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.host(addr)
	h.fault = f
	close(h.changed)
	h.changed = make(chan struct{})
	for l := range h.links {
		l.stall(f == blackHole)
	}
}
