package stack

import (
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
)

// attemptFault is the layer of the faults with [traffic.ScopeAttempt]. It draws them; they act where the wire would, so
// that time limits, the attempt's span and everybody who judges outcomes meet them like the real thing.
type attemptFault struct{ client *Client }

func (f attemptFault) Begin(a *Attempt) error {
	ills := a.Call.oddity().ills
	if ills == nil {
		return nil
	}
	for i := range ills.attempt {
		ill := &ills.attempt[i]
		if !f.client.drawn(ill.percent) {
			continue
		}
		if a.dose == nil {
			a.dose = new(dose)
		}
		a.dose.take(ill)
	}
	if a.dose != nil && len(a.dose.bodies) > 0 && a.Call.Protocol == call.GRPC {
		a.makeEndable() // a stream that a fault breaks is given up
	}
	return nil
}

func (attemptFault) End(*Attempt) {}

// suffer is the attempt under the faults that it has drawn.
func (a *Attempt) suffer() {
	c, hit := a.Call, a.dose
	if hit.delay > 0 {
		c.inject(a, call.FaultDelay)
		if !a.hold(hit.delay) {
			a.standIn(nil)
			return
		}
	}
	if hit.abort != nil {
		c.inject(a, call.FaultAbort)
		a.standIn(hit.abort)
		return
	}
	c.Wire.Try(a)
}

// hold makes the attempt wait, and reports whether it had the time.
func (a *Attempt) hold(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.Ctx.Done():
		return false
	}
}

// standIn has an answer stand in for a server's; nil is that none came. It is laid to an endpoint's charge, as the real
// thing would be.
func (a *Attempt) standIn(answer *call.Answer) {
	c := a.Call
	a.dose.bodies = nil
	if a.Node == nil && !c.dest.direct {
		n, err := a.Choose(nil)
		if err != nil {
			a.Outcome = call.Outcome{Err: err, Code: call.Unavailable}
			return
		}
		a.Take(n)
	}
	c.Wire.Answer(a, answer)
}

// Spoilers are the faults that the body of the attempt's answer is to have, or its messages; mostly none. The wire that has
// an answer with a body calls [Attempt.Spoil].
func (a *Attempt) Spoilers() []traffic.BodyFault {
	if a.dose == nil {
		return nil
	}
	return a.dose.bodies
}

// Spoil notes that the faults of the body are in force.
func (a *Attempt) Spoil() {
	for i := range a.dose.bodies {
		a.Call.inject(a, kindOf(&a.dose.bodies[i]))
	}
}

// Spoilt is the error by which the caller hears of a fault of the body.
func (a *Attempt) Spoilt(err error, code call.Code) error {
	return a.Call.refused(&call.Error{Reason: call.FaultInjected, Code: code, Err: err})
}

// Chance is a number from 0 to 1, without 1, from where all that is drawn for the call comes.
func (a *Attempt) Chance() float64 { return a.Call.client.chance() }

func kindOf(b *traffic.BodyFault) call.Faults {
	switch {
	case b.Corrupt > 0:
		return call.FaultCorrupt
	case b.TruncateAfter != nil:
		return call.FaultTruncate
	case b.ResetAfter != nil:
		return call.FaultReset
	}
	return call.FaultSlow
}
