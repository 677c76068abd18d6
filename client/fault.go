package client

import (
	"context"
	"errors"
	"math"
	"net/http"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/httpwire"
	"github.com/intramesh/intramesh/internal/stack"
)

// Answer stands in for a server's answer, as the policy has it.
func (x *exchange) Answer(a *stack.Attempt, answer *call.Answer) {
	if answer == nil || !a.Replied() {
		err := context.Cause(a.Ctx) // as net/http has it, so that a limit of the mesh is not taken for the caller's leaving
		if err == nil {
			err = a.Late()
		}
		a.Outcome = httpwire.Broken(err, true)
		return
	}
	resp := response(x.req, answer)
	a.Reply, a.Outcome = resp, httpwire.Answer(resp)
}

// bringsBody reports whether there is a body that can be spoilt. A connection that has switched protocols is none.
func (x *exchange) bringsBody(resp *http.Response) bool {
	return resp.Body != nil && resp.Body != http.NoBody && resp.ContentLength != 0 && x.req.Method != http.MethodHead &&
		resp.StatusCode != http.StatusSwitchingProtocols
}

// spoil puts the faults of the body in force.
func (x *exchange) spoil(a *stack.Attempt, resp *http.Response) {
	faults := a.Spoilers()
	if len(faults) == 0 || !x.bringsBody(resp) {
		return
	}
	a.Spoil()
	seed := uint64(a.Chance() * math.MaxUint32)
	httpwire.Spoil(a.Ctx, resp, faults, seed, func(err error) error { return &spoilt{a, err} })
}

// spoilt is what a body says that a fault has ended. Who reads it gets an [Error] with it as the cause.
type spoilt struct {
	a   *stack.Attempt
	err error
}

func (s *spoilt) Error() string { return s.err.Error() }

// unspoil is the error that the reader of a spoilt body gets; nil where err is not from one.
func unspoil(err error) error {
	if s, ok := errors.AsType[*spoilt](err); ok {
		return convert(s.a.Spoilt(s.err, call.Unavailable))
	}
	return nil
}
