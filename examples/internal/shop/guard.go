package shop

import (
	"time"

	"github.com/intramesh/intramesh/security"
)

// guard is the Authorizer of a server: a rule, and a count of what became of it.
type guard struct {
	security.Authorizer
	*book
}

// Validate lets the server find mistakes in the rule.
func (g guard) Validate() error { return security.Check(g.Authorizer) }

// Authorize asks the rule.
func (g guard) Authorize(r *security.Request) error {
	err := g.Authorizer.Authorize(r)
	switch {
	case err != nil:
		g.note(denied+" "+g.service, 1, time.Now())
	case r.Peer != nil:
		g.note(served+" "+r.Peer.Certificate.SerialNumber.String(), 1, time.Now())
	}
	return err
}
