package stack

import (
	"github.com/intramesh/intramesh/internal/call"
)

// route is the layer that finds the call's destination and takes its policy, once, for the whole call.
type route struct{ client *Client }

func (r route) Begin(c *Call) error {
	if r.client.ending.Load() {
		return &call.Error{Reason: call.Closed, Code: call.CanceledCode, Err: errClosed}
	}
	find := r.client.Destination
	if c.Direct {
		find = r.client.Direct
	}
	d := find(c.Service, c.Start)
	c.dest, c.exec = d, d.exec.Load()
	c.applyPolicy()
	if d.direct || d.Endpoints() != nil {
		return nil
	}
	return d.await(c)
}

func (route) End(*Call) {}

// applyPolicy sets what the policy decides before the first attempt.
func (c *Call) applyPolicy() {
	if limit := c.exec.Reply(); limit > 0 && c.Deadline.IsZero() && !c.Streaming {
		c.ReplyBy = c.Start.Add(limit)
	}
	if c.options.Idempotent || c.exec.Idempotent() {
		c.Idempotent = true
	}
	if !c.Retries() {
		return
	}
	c.series.Protocol, c.series.Idempotent = c.Protocol, c.Idempotent
	c.series.Deadline = c.limit()
	if in := call.InboundFrom(c.Ctx); in != nil {
		c.series.PassedDown = in.Attempt > 1
	}
}
