package resilience

import (
	"context"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/intramesh/intramesh/internal/call"
)

// Pass is leave for one call to go to its destination. The zero Pass is that of a destination without a breaker.
type Pass struct {
	circuit *circuit
	number  uint64 // of the closed period, or of the probe
	probe   bool
}

// Enter asks the policy's circuit breaker whether a call may begin; the error is [ErrOpen]. Whoever gets a Pass gives it
// back by [Pass.Leave], whatever happens. The contexts are for what is told of changes. While the breaker is closed it takes no lock and does not allocate. For the
// mesh's call path; [Do] calls it by itself.
func (e *Executor) Enter(ctx context.Context) (Pass, error) {
	c := e.circuit
	if c == nil {
		return Pass{}, nil
	}
	if n := c.closed.Load(); n != 0 {
		return Pass{circuit: c, number: n}, nil
	}
	return c.knock(ctx, time.Now())
}

// knock asks at a breaker that is not closed.
func (c *circuit) knock(ctx context.Context, now time.Time) (Pass, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.closed.Load(); n != 0 {
		return Pass{circuit: c, number: n}, nil
	}
	if c.probing && now.Sub(c.probed) < c.open {
		return Pass{}, ErrOpen
	}
	open := c.breaker.State() == gobreaker.StateOpen
	c.follow(ctx, now)
	if open {
		return Pass{}, ErrOpen
	}
	c.probe++ // where one is under way it is in no hurry to tell: a stream perhaps that is silent. This one may be
	c.probing, c.probed = true, now
	return Pass{circuit: c, number: c.probe, probe: true}, nil
}

// Probe reports whether the call finds out for all others whether the destination is well: then it leaves as soon as that
// is known, and not when its body is over.
func (p *Pass) Probe() bool { return p.probe && p.circuit != nil }

// Leave gives the pass back and says what became of the call; [call.Canceled] where that says nothing about the
// destination. Only the first Leave counts. It must not be called by two goroutines at once.
func (p *Pass) Leave(ctx context.Context, class call.Class) {
	c := p.circuit
	if c == nil {
		return
	}
	p.circuit = nil
	if class == call.Canceled && !p.probe {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !p.probe && p.number == c.closed.Load():
		c.count(result(class))
	case p.probe && p.number == c.probe && c.probing:
		c.probing = false
		c.count(result(class))
	default:
		return // it began under other circumstances
	}
	if c.moved {
		c.follow(ctx, time.Now())
	}
}

// result is a class in gobreaker's terms. That a server has too much to do with others, or counts too many calls of ours
// (429), is an answer: who is refused so is not to be shut out on top.
func result(class call.Class) error {
	switch class {
	case call.Success, call.Busy:
		return nil
	case call.Canceled:
		return errExcluded
	}
	return errFailed
}

// Observe has f called at every change of the breaker's state, in order. f must not block and must not use the executor.
// For the mesh's call path.
func (e *Executor) Observe(f func(call.Event)) {
	if c := e.circuit; c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tell = f
	}
}

// Breaker is what the policy's circuit breaker does with calls now.
func (e *Executor) Breaker() BreakerState {
	if e.circuit == nil {
		return BreakerOff
	}
	return e.circuit.state(time.Now())
}

// SameBreaker reports whether both share the state of one breaker, or have none. For the mesh's call path.
func (e *Executor) SameBreaker(other *Executor) bool { return e.circuit == other.circuit }
