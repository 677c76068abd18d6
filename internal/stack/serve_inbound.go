package stack

import "github.com/intramesh/intramesh/internal/call"

// serveInbound tells the clients that the handler calls which attempt is being served, so that retries do not multiply
// from hop to hop. The first attempt is the rule and says nothing.
type serveInbound struct{}

func (serveInbound) Begin(c *Serve) error {
	if c.Attempt > 1 {
		c.Ctx = call.WithInbound(c.Ctx, &call.Inbound{Attempt: c.Attempt})
	}
	return nil
}

func (serveInbound) End(*Serve) {}
