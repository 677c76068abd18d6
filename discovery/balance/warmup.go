package balance

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// warmup lets a picker pass over new nodes, the more often the newer they are. It needs no weights that change with time,
// and nothing to be made anew: a node that was drawn is accepted with the probability that its weight is reduced to, and
// otherwise another is drawn.
//
// Nodes are compared with the oldest: where all are new, as when a process starts, none is passed over.
type warmup struct {
	window  time.Duration
	least   float64
	power   float64
	oldest  int64        // birth of the oldest node
	horizon atomic.Int64 // whoever was born before is known to be through its window
}

// newWarmup is nil where there is nothing to warm up.
func newWarmup(s *SlowStart, nodes []*Node) *warmup {
	if s == nil || len(nodes) == 0 {
		return nil
	}
	w := &warmup{window: s.Window, least: max(s.MinPercent/100, 1e-9), power: 1} // it is divided by
	if s.MinPercent == 0 {
		w.least = 0.1
	}
	if s.Aggression != 0 {
		w.power = 1 / s.Aggression
	}
	w.oldest = nodes[0].born.Load()
	for _, n := range nodes {
		w.oldest = min(w.oldest, n.born.Load())
	}
	w.horizon.Store(now() - int64(w.window))
	return w
}

// coldRedraws is how often other nodes are drawn where new ones are passed over. With one node of ten old and nine new, at
// a tenth of their weight, one pick in 30 finds no other and takes a new one.
const coldRedraws = 16

// accepts draws whether a call may go to n. Where n is past its window that is one comparison.
func (w *warmup) accepts(n *Node) bool {
	if w == nil {
		return true
	}
	f := w.factor(n)
	return f >= 1 || rand.Float64() < f
}

// factor is what the node's weight is multiplied by.
func (w *warmup) factor(n *Node) float64 {
	if w == nil {
		return 1
	}
	born := n.born.Load()
	if born <= w.horizon.Load() {
		return 1
	}
	t := now()
	if h := t - int64(w.window); h > w.horizon.Load() {
		w.horizon.Store(h) // of two that do this at once the later may lose: the next will do it again
	}
	return min(w.at(t-born)/w.at(t-w.oldest), 1)
}

// at is the factor at an age in nanoseconds.
func (w *warmup) at(age int64) float64 {
	x := float64(age) / float64(w.window)
	if x >= 1 {
		return 1
	}
	x = max(x, 0)
	if w.power != 1 {
		x = math.Pow(x, w.power)
	}
	return max(x, w.least)
}

// now is the time since epoch in nanoseconds.
func now() int64 { return int64(time.Since(epoch)) }
