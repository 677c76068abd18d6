package clientgrpc

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// unsecured is why calls to the destination cannot be made as the policy has them secured, where the credentials are the
// caller's own: nothing must be sent in another way instead. It is nil where they can.
func (f *feed) unsecured(d *stack.Destination) error {
	if !f.own {
		return nil
	}
	t := d.Settings().TLS
	if t == nil || t.Mode == "" || t.Mode == traffic.TLSDisable {
		return nil
	}
	return &call.Error{
		Reason: call.Invalid, Code: call.FailedPrecondition,
		Err: fmt.Errorf("clientgrpc: the policy secures connections to %s (TLS mode %q), and the transport credentials are the "+
			"caller's own: it acts with clientgrpc.Credentials in their place", d.Name, t.Mode),
	}
}

// refuse ends the call for a reason that holds at every endpoint and at every attempt. As a status it is the end for grpc,
// too; what the caller gets is made of the reason, see outcome.
func (r *rpc) refuse(err error) error {
	r.picked.refusal = err
	return status.Error(codes.Unavailable, err.Error())
}

// forbidden is the outcome of that. It is as that of a call that never reached an attempt.
func (r *rpc) forbidden(why *call.Error) call.Outcome {
	e := *why
	e.Service, e.Method, e.Attempts = r.Service, r.Method, r.Tries
	if rule := r.Rule(); rule != nil {
		e.Rule = rule.Name
	}
	return call.Outcome{Err: convert(&e), Code: e.Code}
}
