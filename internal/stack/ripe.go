package stack

// Where endpoints are picked by their places, a place whose endpoints are all out gets no calls, so that no pick would find
// there that the time of an ejection has come. So calls are shared out among places anew when it has, and the endpoint
// counts as well until its probe says otherwise. Envoy's ejections end by a timer, to the same effect.

// sound reports whether the node counts for its place: because it is not ejected, or because the time of that is over.
func (n *Node) sound() bool {
	due := n.due.Load()
	return due == 0 || n.outliers.now() >= due
}

// soonest is when the next of the ejections is over that are not over yet; 0 where there is none. The caller holds mu.
func (o *outliers) soonest() (at int64) {
	now := o.now()
	for n := range o.out {
		if due := n.due.Load(); n.counted && due > now && (at == 0 || due < at) {
			at = due
		}
	}
	return at
}

// ripen is asked by picks that go by places.
func (o *outliers) ripen() {
	at := o.ripe.Load()
	if at == 0 || o.now() < at {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ripe.Load() != at {
		return // another call has done it
	}
	o.ripe.Store(o.soonest())
	o.changed()
}
