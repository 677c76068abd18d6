package stack

import "time"

// deadline is the layer that knows until when the call may last: the caller's context, or less where the call's options
// say so. What is over before it began is refused before anything is spent on it.
type deadline struct{}

func (deadline) Begin(c *Call) error {
	c.options = optionsFrom(c.Ctx)
	c.Deadline, _ = c.Ctx.Deadline()
	if t := c.options.Timeout; t > 0 {
		if d := c.Start.Add(t); c.Deadline.IsZero() || d.Before(c.Deadline) {
			c.Deadline = d
		}
	}
	if e := c.over(c.Start); e != nil {
		return e
	}
	return nil
}

func (deadline) End(*Call) {}

// remaining is the time from now until limit; 0 where limit is zero, and never 0 otherwise.
func remaining(limit, now time.Time) time.Duration {
	if limit.IsZero() {
		return 0
	}
	if left := limit.Sub(now); left != 0 {
		return left
	}
	return -1
}
