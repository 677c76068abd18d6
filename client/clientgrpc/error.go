package clientgrpc

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/internal/call"
)

// statusError is a [client.Error] as grpc's callers expect errors: with a status.
type statusError struct{ err *client.Error }

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// GRPCStatus is what status.FromError and status.Code ask for.
func (e *statusError) GRPCStatus() *status.Status {
	return status.New(codes.Code(e.err.Code), e.err.Error())
}

// convert gives an error of the call path its public type.
func convert(err error) error {
	var e *call.Error
	if !errors.As(err, &e) {
		return err
	}
	pub := &client.Error{
		Service: e.Service, Method: e.Method, Endpoint: e.Endpoint, Attempts: e.Attempts,
		Reason: e.Reason, Rule: e.Rule, Code: uint32(e.Code), Err: e.Err, Faults: e.Faults.Names(),
	}
	if e.Answer != nil {
		pub.Code = uint32(e.Answer.OverGRPC())
		if pub.Err == nil && e.Reason != call.FaultInjected {
			pub.Err = inWords(e.Answer)
		}
	}
	return &statusError{pub}
}

// maxWords is how much of an answer's body is in the error that stands for it.
const maxWords = 1 << 10

// inWords is what an answer says that only HTTP has a form for.
func inWords(a *call.Answer) error {
	switch {
	case a.Location != "":
		return fmt.Errorf("HTTP status %d to %s: gRPC has no redirections", a.Status, a.Location)
	case a.Body != "":
		return fmt.Errorf("HTTP status %d: %s", a.Status, strings.ToValidUTF8(a.Body[:min(len(a.Body), maxWords)], ""))
	}
	return fmt.Errorf("HTTP status %d", a.Status)
}
