package stack

import "github.com/intramesh/intramesh/internal/call"

// oddities are what few calls have. They are not in the call itself, whose size all calls pay for.
type oddities struct {
	history []call.Attempt // the attempts before the last
	ills    *ills          // faults that it may get
	copies  *Copies        // that mirrors get
	copy    *Copy          // that the call is
	cookies *cookies       // that were made
}

// oddity is what the call has of that kind; what is nil it does not have.
func (c *Call) oddity() oddities {
	if c.odd == nil {
		return oddities{}
	}
	return *c.odd
}

// becomesOdd is where the call keeps what it has.
func (c *Call) becomesOdd() *oddities {
	if c.odd == nil {
		c.odd = new(oddities)
	}
	return c.odd
}
