package stack

import (
	"time"

	"github.com/intramesh/intramesh/security"
)

// Expiry is an identity as telemetry asks it: when does its certificate expire?
type Expiry struct{ Identity security.Identity }

// Expiry is zero while nothing is known of the identity.
func (e Expiry) Expiry() time.Time {
	if m, _ := e.Identity.Watch(); m != nil {
		return m.NotAfter()
	}
	return time.Time{}
}
