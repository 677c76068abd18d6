package stack

import (
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// ejection is what outlier detection knows of a node. It lies in the node, so it survives changes of the list and of the
// policy, and reconnects, and both protocols share it.
type ejection struct {
	outliers *outliers

	row     atomic.Int32 // failures in a row
	gateway atomic.Int32 // failures of the gateway kind in a row
	lost    atomic.Int32 // attempts without an answer in a row, where they are split
	answers tally        // of the present interval; all attempts, unless those without an answer are split
	origin  tally        // likewise, whether there was an answer
	due     atomic.Int64 // 0: not ejected; else when a probe may find out, in the outliers' time
	probe   atomic.Int64 // when the probe began that is under way; 0: none is

	// Guarded by outliers.mu.
	times     int64 // by how much the next ejection is longer
	since     int64 // when it was readmitted
	suspected int64 // when it was last told that chance spared it
	looked    int64 // when a call was to probe it last; 0: none was since it was ejected
	counted   bool  // it is out, and in the list as the outliers were last told of it
}

// probePatience is how long a probe keeps others from being one. A stream that is silent may last for ever.
const probePatience = 30 * time.Second

// Ejected reports whether the endpoint is out: no call goes there but the one that finds out whether it is well.
func (n *Node) Ejected() bool { return n.due.Load() != 0 }

// open reports whether the node may be picked: because it is not ejected, or because its time is over and a probe is
// wanted.
func (n *Node) open() bool {
	due := n.due.Load()
	return due == 0 || n.wants(due, n.outliers.now())
}

// wants reports whether an ejected node waits for a probe.
func (n *Node) wants(due, now int64) bool {
	if now < due {
		return false
	}
	began := n.probe.Load()
	return began == 0 || now-began >= int64(probePatience)
}

func (n *Node) clear() {
	n.row.Store(0)
	n.gateway.Store(0)
	n.lost.Store(0)
	n.answers.take()
	n.origin.take()
}

// forgettable reports whether nothing of the node matters any more, once it has left the list.
func (n *Node) forgettable(now time.Time) bool {
	left := n.retired.Load()
	return left != 0 && left < now.Add(-keepRetired).UnixNano() && n.due.Load() <= n.outliers.now()
}

// claim makes the attempt the probe of the node it was given, if that is ejected and its time is over. It is false where
// another attempt has become the probe in the meantime, and the node is of no use to this one.
func (a *Attempt) claim(n *Node) bool {
	due := n.due.Load()
	if due == 0 || a.Call.Copy { // a copy testifies to nothing
		return true
	}
	o := n.outliers
	now := o.now()
	if now < due {
		return true // there was no other choice
	}
	began := n.probe.Load()
	if (began == 0 || now-began >= int64(probePatience)) && n.probe.CompareAndSwap(began, now) {
		a.claimed.Store(now)
		a.probe.Store(n)
		return true
	}
	return !o.active.Load()
}

// release gives up being a probe without a word about the node.
func (a *Attempt) release() {
	if n := a.probe.Swap(nil); n != nil {
		n.probe.CompareAndSwap(a.claimed.Load(), 0)
	}
}

// Judge tells the endpoint how the attempt ended there, for balancing and for outlier detection.
//
// What becomes of a copy for a mirror is nobody's matter: it counts as load while it lasts.
func (a *Attempt) Judge(n *Node, class call.Class, at *call.Attempt) {
	if a.Call.Copy {
		return
	}
	v := verdictOn(n, class, at)
	n.Judge(class, at)
	a.count(n, v)
}

// judgeReply is Judge for an attempt whose reply has a body to come: that it went well is told when that is over. A probe
// is judged at once, since the body may take for ever.
func (a *Attempt) judgeReply(class call.Class) {
	if a.Call.Copy {
		return
	}
	n := a.Node
	v := verdictOn(n, class, &a.Attempt)
	n.Judge(class, &a.Attempt)
	if v == well && a.probe.Load() == nil {
		a.fine = true
		return
	}
	a.count(n, v)
}

// judgeBody is called when the attempt is over.
func (a *Attempt) judgeBody() {
	if !a.fine {
		return
	}
	v := well
	if a.Call.broke.Load() {
		v = bad | gateway | lost
		a.Node.Load.Fail()
	}
	a.count(a.Node, v)
}

// count adds the verdict to what is known of the endpoint.
func (a *Attempt) count(n *Node, v verdict) {
	if a.probe.Load() == n {
		a.testify(n, v)
		return
	}
	if v == nothing {
		return
	}
	o := n.outliers
	if due := o.sweep.Load(); due != 0 {
		o.tally(a.Call.Ctx, n, v, due)
	}
	if v == well {
		n.well()
		return
	}
	if o.policy.Load() != nil {
		o.failed(a.Call.Ctx, n, v)
		o.events.tell()
	}
}

// testify is what the probe says.
func (a *Attempt) testify(n *Node, v verdict) {
	if v == nothing {
		a.release()
		return
	}
	if a.probe.Swap(nil) == n {
		n.outliers.probed(a.Call.Ctx, n, a.claimed.Load(), v == well)
		n.outliers.events.tell()
	}
}

// readmit says that the attempt, if it is a probe, goes well so far.
func (a *Attempt) readmit() {
	if n := a.probe.Load(); n != nil {
		a.testify(n, well)
	}
}

// well ends the node's row of failures.
func (n *Node) well() {
	if n.row.Load() != 0 {
		n.row.Store(0)
	}
	if n.gateway.Load() != 0 {
		n.gateway.Store(0)
	}
	if n.lost.Load() != 0 {
		n.lost.Store(0)
	}
}
