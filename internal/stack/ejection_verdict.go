package stack

import "github.com/intramesh/intramesh/internal/call"

// verdict is what an attempt says about its endpoint: nothing, that it is well, or that it is bad and in which manner.
type verdict uint8

const (
	nothing verdict = 0
	well    verdict = 1 << (iota - 1) // it answers
	bad                               // it failed, or the way to it
	gateway                           // beside bad: in the manner of 502, 503 and 504
	lost                              // beside bad: without an answer
)

// verdictOn reads an outcome as outlier detection does. That a server has too much to do (429), or refuses before work, is
// an answer of a server that is well.
func verdictOn(n *Node, class call.Class, at *call.Attempt) verdict {
	o := &at.Outcome
	switch class {
	case call.Success, call.Busy:
		return well
	case call.Canceled:
		return nothing
	case call.Refused:
		switch {
		case o.Overloaded:
			return well
		case o.RefusedStream:
			return nothing // a server that leaves hands back what it does not get to
		}
		return bad | gateway | lost // it could not be connected to
	}
	if n.hurried(at) {
		return nothing
	}
	v, status := bad, o.Status
	if status == 0 {
		status = o.Code.HTTPStatus()
		if !o.Received {
			v |= lost
		}
	}
	if status == 502 || status == 503 || status == 504 {
		v |= gateway
	}
	return v
}
