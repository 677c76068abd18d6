package stack

import "time"

// Where endpoints are picked by their places, one that is ejected may have nobody who comes by and finds that its time is
// over: a place whose endpoints are all out gets no calls. So the first call that is made after that time goes there as the
// probe, wherever it is.

// lookAgain is how long a node waits for its next turn where the last one came to nothing: no connection is ready yet, or
// a probe is under way that may say nothing.
const lookAgain = 10 * time.Millisecond

// turn is when a call may probe the node. The caller holds the outliers' mu.
func (n *Node) turn() int64 {
	if n.looked == 0 {
		return n.due.Load()
	}
	return max(n.due.Load(), n.looked+int64(lookAgain))
}

// next is the ejected node whose turn is first; nil where there is none. The caller holds mu.
func (o *outliers) next() (n *Node) {
	for m := range o.out {
		if m.counted && (n == nil || m.turn() < n.turn()) {
			n = m
		}
	}
	return n
}

// ripen notes when the next turn is. The caller holds mu.
func (o *outliers) ripen() {
	var at int64
	if n := o.next(); n != nil {
		at = n.turn()
	}
	o.ripe.Store(at)
}

// take is the node whose turn it is, for one call; nil where there is none.
func (o *outliers) take() (n *Node) {
	now := o.now()
	if at := o.ripe.Load(); at == 0 || now < at {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if n = o.next(); n == nil || n.turn() > now {
		return nil // another call was faster
	}
	n.looked = now
	o.ripen()
	return n
}

// overdue is a node for the attempt to probe.
func (a *Attempt) overdue(eps *Endpoints) *Node {
	if eps.places == nil {
		return nil
	}
	n := a.Call.dest.outliers.take()
	if n == nil || !n.open() || !a.Call.fresh(n) {
		return nil
	}
	if level, listed := eps.levels()[n]; !listed || level < 0 {
		return nil // calls are not to go there at all
	}
	return n
}
