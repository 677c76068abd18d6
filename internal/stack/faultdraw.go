package stack

import (
	"math"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
)

// ills are the faults that a call may get: those of its route whose match holds for it. It is made for such calls alone.
type ills struct{ call, attempt []ill }

// ill is one fault, ready to be drawn. One of delay, abort and body is set.
type ill struct {
	percent float64
	delay   time.Duration
	abort   *call.Answer
	body    *traffic.BodyFault
}

// dose is what was drawn. All of it acts: the delays one after the other, then the first of the aborts, and on the answer of
// a server what spoils its body.
type dose struct {
	delay  time.Duration
	abort  *call.Answer
	bodies []traffic.BodyFault
}

// drawn draws lots. Unlike those of a split they are independent, as failures are.
func (s *Client) drawn(percent float64) bool { return percent > 0 && s.chance()*100 < percent }

func (d *dose) add(s *Client, i *ill) {
	if s.drawn(i.percent) {
		d.take(i)
	}
}

func (d *dose) take(i *ill) {
	if d.delay += i.delay; d.delay < 0 {
		d.delay = math.MaxInt64
	}
	if d.abort == nil {
		d.abort = i.abort
	}
	if i.body != nil {
		d.bodies = append(d.bodies, *i.body)
	}
}

// sicken finds the faults that the request may get.
func (c *Call) sicken(rule *traffic.Rule, q *traffic.Request) {
	var found ills
	for i := range rule.Faults {
		f := &rule.Faults[i]
		if f.Fault.Percent <= 0 || !f.Match(q) {
			continue
		}
		list := &found.call
		if f.Scope == traffic.ScopeAttempt {
			list = &found.attempt
		}
		of := f.Fault
		switch {
		case of.FromHeaders:
			found.ask(q, list, of.Percent, rule.Name)
		case of.Body != nil:
			found.attempt = append(found.attempt, ill{percent: of.Percent, body: of.Body})
		case of.Abort != nil:
			*list = append(*list, ill{percent: of.Percent, abort: abortOf(of.Abort, rule.Name)})
		case of.Delay > 0:
			*list = append(*list, ill{percent: of.Percent, delay: of.Delay})
		}
	}
	if found.call != nil || found.attempt != nil {
		c.becomesOdd().ills = &ills{found.call, found.attempt} // and not found's address, which every call would pay for
	}
}

// abortOf is the answer of an abort, for both protocols.
func abortOf(a *traffic.Abort, rule string) *call.Answer {
	if a.Code == "" {
		return aborted(a.Status, codeOf(a.Status), rule)
	}
	code, ok := call.CodeNamed(a.Code)
	if !ok {
		code = call.Unknown
	}
	return aborted(code.HTTPStatus(), code, rule)
}

// codeOf is the code of a status. There is none for success, which over gRPC is no answer without a message.
func codeOf(status int) call.Code {
	if status < 400 {
		return call.Unknown
	}
	return call.CodeOfHTTP(status)
}

func aborted(status int, code call.Code, rule string) *call.Answer {
	return &call.Answer{Status: status, Code: code, Body: "fault injected by route " + rule}
}
