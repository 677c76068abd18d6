package resilience

import (
	"sync/atomic"
	"time"
)

// The phases of a series. The call may be over while another retry is asked for.
const (
	noRetry int32 = iota
	aRetry        // a retry of the call is counted as under way
	closed
)

// take counts a retry of the series as under way, if there are fewer than most. A call that is over in this moment has none.
func (g *gate) take(s *Series, most int64) bool {
	if !upTo(&g.retries, most) {
		return false
	}
	if !atomic.CompareAndSwapInt32(&s.phase, noRetry, aRetry) {
		g.retries.Add(-1)
	}
	return true
}

// give says that the retry of the series which was under way is over.
func (g *gate) give(s *Series) {
	if atomic.CompareAndSwapInt32(&s.phase, aRetry, noRetry) {
		g.retries.Add(-1)
	}
}

// Close says that the call is over, and with it its last retry. It may be called at any time and more than once. For the
// mesh's call path.
func (e *Executor) Close(s *Series) {
	if e.gated && atomic.SwapInt32(&s.phase, closed) == aRetry {
		e.gate.retries.Add(-1)
	}
}

// spend takes what the retry costs, all of it or nothing.
func (e *Executor) spend(s *Series, now time.Time) Stop {
	most, stop := e.underWay()
	if stop != 0 && !e.gate.take(s, most) {
		return stop
	}
	if e.counts && !e.ledger.withdraw(now, e.budget.Ratio, e.budget.PerSecond*e.budget.Window.Seconds()) {
		if e.gated {
			e.gate.give(s)
		}
		return StopBudget
	}
	return 0
}

// underWay is how many retries may be under way now, and what it is that stops others; 0 where nothing does.
func (e *Executor) underWay() (most int64, stop Stop) {
	if e.limit.Retries != 0 {
		most, stop = int64(e.limit.Retries), StopLimit
	}
	if b := e.budget; b != nil && b.Kind == BudgetEnvoy {
		if share := e.gate.share(b); stop == 0 || share < most {
			most, stop = share, StopBudget
		}
	}
	return most, stop
}
