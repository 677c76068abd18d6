package stack

import (
	"errors"

	"github.com/intramesh/intramesh/internal/call"
)

var errAllEjected = errors.New("intramesh: outlier detection has ejected every endpoint")

// barred is the error for a call when every endpoint is out, none of them is due for its probe, and the policy has it that
// calls then go nowhere; nil otherwise.
func (o *outliers) barred(eps *Endpoints) *call.Error {
	if !o.shut.Load() {
		return nil
	}
	now := o.now()
	for _, n := range eps.Nodes {
		if due := n.due.Load(); due == 0 || n.wants(due, now) {
			return nil
		}
	}
	return &call.Error{Reason: call.AllEjected, Code: call.Unavailable, Err: errAllEjected}
}
