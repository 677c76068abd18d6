package stack

import (
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

// callFault is the layer of the faults with [traffic.ScopeCall]. It stands right beneath route, which knows the faults, and
// above all that counts or limits calls: the caller meets such a fault, and nothing that keeps calls alive does.
type callFault struct{ client *Client }

func (f callFault) Begin(c *Call) error {
	ills := c.oddity().ills
	if ills == nil {
		return nil
	}
	var hit dose
	for i := range ills.call {
		hit.add(f.client, &ills.call[i])
	}
	if hit.delay > 0 {
		c.inject(nil, call.FaultDelay)
		if err := c.hold(hit.delay); err != nil {
			return err
		}
	}
	if hit.abort != nil {
		c.inject(nil, call.FaultAbort)
		return c.answer(call.FaultInjected, hit.abort)
	}
	return nil
}

func (callFault) End(*Call) {}

// hold makes the call wait, for as long as it has time.
func (c *Call) hold(d time.Duration) error {
	c.waited = true
	if limit := c.limit(); !limit.IsZero() {
		d = min(d, time.Until(limit))
	}
	return c.pause(d)
}

// inject notes that a fault acts: on the attempt, or on the call where a is nil.
func (c *Call) inject(a *Attempt, kind call.Faults) {
	var facts *call.Attempt
	if a != nil {
		facts = &a.Attempt
		a.Faults |= kind
	}
	c.Faults |= kind
	if o := c.client.observer; o != nil {
		o.Fault(&c.Call, &c.watch, facts, kind)
	}
}
