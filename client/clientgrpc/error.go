package clientgrpc

import (
	"errors"

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
	return &statusError{&client.Error{
		Service: e.Service, Method: e.Method, Endpoint: e.Endpoint, Attempts: e.Attempts,
		Reason: e.Reason, Rule: e.Rule, Code: uint32(e.Code), Err: e.Err, Faults: e.Faults.Names(),
	}}
}
