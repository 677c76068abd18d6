package resilience

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/intramesh/intramesh/internal/call"
)

// circuit is the breaker of one destination. The window and the three states are gobreaker's; what is added is the
// growing open time, and that calls count when they end.
//
// gobreaker counts a call in the part of the window in which it began and forgets it where that part has gone by when it
// ends. A destination that hangs until its callers give up after 15 s would never open a breaker that looks back on 10 s.
// So gobreaker is asked for leave and answered in one go when a call ends. That makes the way in one atomic load, too, and
// that a probe is under way is known here.
type circuit struct {
	set    Breaker       // with defaults in the place of zeros
	closed atomic.Uint64 // the number of the present closed period; 0 while calls are not simply let through

	mu      sync.Mutex
	breaker *gobreaker.CircuitBreaker[struct{}]
	open    time.Duration // of breaker
	until   time.Time     // when the open time ends
	periods uint64        // how many closed periods there have been
	tell    func(call.Event)
	ctx     context.Context // of the call that holds mu, for what is told

	from, to gobreaker.State // the last change of breaker's state, not yet followed if moved
	moved    bool
	tripping bool // the next failure opens the breaker, whatever was counted

	probe   uint64    // the number of the latest probe
	probing bool      // it has not answered yet
	probed  time.Time // when it began
}

// What gobreaker is told of a call.
var (
	errFailed   = errors.New("resilience: failed")
	errExcluded = errors.New("resilience: says nothing")
)

func newCircuit(b Breaker) *circuit {
	c := &circuit{set: b}
	c.closeAnew()
	return c
}

// closeAnew begins a closed period that knows nothing of what was before.
func (c *circuit) closeAnew() {
	c.open, c.probing = c.set.Open, false
	c.breaker = c.newBreaker()
	c.periods++
	c.closed.Store(c.periods)
}

func (c *circuit) newBreaker() *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  1,
		Interval:     c.set.Window,
		BucketPeriod: (c.set.Window + buckets - 1) / buckets,
		Timeout:      c.open - 1, // it is over when more than this has passed: at c.open, then
		ReadyToTrip:  c.readyToTrip,
		IsExcluded:   func(err error) bool { return err == errExcluded }, //nolint:errorlint // the very error
		OnStateChange: func(_ string, from, to gobreaker.State) {
			c.from, c.to, c.moved = from, to, true
		},
	})
}

func (c *circuit) readyToTrip(n gobreaker.Counts) bool {
	finished := n.TotalSuccesses + n.TotalFailures
	return c.tripping || int64(finished) >= int64(c.set.MinCalls) &&
		float64(n.TotalFailures) >= c.set.Ratio*float64(finished)-rounding
}

// follow does what a change of the breaker's state asks for. The caller holds mu.
func (c *circuit) follow(ctx context.Context, now time.Time) {
	if !c.moved {
		return
	}
	c.moved, c.ctx = false, ctx
	defer func() { c.ctx = nil }()
	switch {
	case c.to == gobreaker.StateHalfOpen:
		c.say(call.Event{Kind: call.BreakerHalfOpen, Time: now})
	case c.to == gobreaker.StateClosed:
		c.closeAnew()
		c.say(call.Event{Kind: call.BreakerClosed, Time: now, Reason: call.ProbeSucceeded})
	case c.from == gobreaker.StateHalfOpen:
		c.open = min(2*c.open, c.set.MaxOpen)
		c.openAnew(now, call.ProbeFailed)
	default:
		c.closed.Store(0)
		c.opened(now, call.FailureRatio)
	}
}

// openAnew replaces the breaker by one that is open for longer: the open time of a breaker is fixed.
func (c *circuit) openAnew(now time.Time, reason string) {
	c.breaker, c.probing = c.newBreaker(), false
	c.tripping = true
	c.count(errFailed)
	c.tripping, c.moved = false, false
	c.opened(now, reason)
}

func (c *circuit) opened(now time.Time, reason string) {
	c.until = now.Add(c.open)
	c.say(call.Event{Kind: call.BreakerOpened, Time: now, Reason: reason, For: c.open})
}

func (c *circuit) say(e call.Event) {
	if c.tell != nil {
		e.Ctx = c.ctx
		c.tell(e)
	}
}

// count counts a call that has ended: one that passed while the breaker was closed, or a probe.
func (c *circuit) count(result error) {
	_, _ = c.breaker.Execute(func() (struct{}, error) { return struct{}{}, result })
}

// state is what the breaker does with calls now.
func (c *circuit) state(now time.Time) BreakerState {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed.Load() != 0:
		return BreakerClosed
	case now.Before(c.until):
		return BreakerOpen
	}
	return BreakerHalfOpen
}
