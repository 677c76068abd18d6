package stack

import (
	"errors"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// record is the layer that tells the observer of every call. It is in the chain only where there is one.
type record struct{ observer call.CallObserver }

func (r record) Begin(c *Call) error {
	c.watch.Fields = c.first.fieldRoom[:0] // where they are mostly to be sent from
	r.observer.BeginCall(&c.Call, &c.watch, (*described)(c))
	return nil
}

// End is reached without a reply where a layer refused the call, or where the caller's own code panicked.
func (r record) End(c *Call) {
	if !c.replied {
		if c.err == nil {
			c.err = errUnreplied
		}
		c.reply(c.err)
	}
	if err := c.cutOff(); err != nil {
		c.err = err
	}
	r.observer.EndCall(&c.Call, &c.watch, c.facts(), c.err)
}

var errUnreplied = &call.Error{
	Reason: call.Broken, Code: call.Internal, Err: errors.New("intramesh: the call ended without a reply: a transport panicked"),
}

// Refuse notes why a layer did not let the call pass, before the layers that had begun are ended.
func (c *Call) Refuse(err error) { c.err = c.refused(err) }

// reply tells the observer what the caller gets.
func (c *Call) reply(err error) {
	c.err, c.replied = err, true
	if o := c.client.observer; o != nil {
		c.OutOfBudget = c.series.Stopped == resilience.StopBudget || c.series.Stopped == resilience.StopLimit
		if a := c.last; a != nil && a.Node != nil && a.Outcome.Sent != call.SentNo {
			c.Peer = a.Node.Peer()
		}
		o.Reply(&c.Call, &c.watch, c.facts(), err)
	}
}

// facts is what is known of the last attempt; nil where there was none.
func (c *Call) facts() *call.Attempt {
	if c.last != nil {
		return &c.last.Attempt
	}
	if h := c.oddity().history; len(h) > 0 {
		return &h[len(h)-1]
	}
	return nil
}

// described is a call whose wire may tell details.
type described Call

// Describe implements [call.Describer].
func (d *described) Describe() call.Detail {
	if w, ok := d.Wire.(call.Describer); ok {
		return w.Describe()
	}
	return call.Detail{}
}

// EachBreakerState implements [call.Gauges].
func (s *Client) EachBreakerState(f func(service, state string)) {
	s.EachBreaker(func(service string, state resilience.BreakerState) { f(service, state.String()) })
}

// PolicySince implements [call.Gauges].
func (s *Client) PolicySince() time.Time { return time.Unix(0, s.since.Load()) }
