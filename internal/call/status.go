package call

import (
	"slices"
	"strconv"
)

// Code is a gRPC status code as a number, so that packages that must not import grpc can speak of it.
type Code uint32

// The codes of https://grpc.io/docs/guides/status-codes/. CanceledCode has the longer name because [Canceled] is a [Class].
const (
	OK Code = iota
	CanceledCode
	Unknown
	InvalidArgument
	DeadlineExceeded
	NotFound
	AlreadyExists
	PermissionDenied
	ResourceExhausted
	FailedPrecondition
	Aborted
	OutOfRange
	Unimplemented
	Internal
	Unavailable
	DataLoss
	Unauthenticated
)

var codeNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "CODE(" + strconv.FormatUint(uint64(c), 10) + ")"
}

// CodeNamed is the code of that name, as [Code.String] has it; false where there is none.
func CodeNamed(name string) (Code, bool) {
	i := slices.Index(codeNames[:], name)
	return Code(max(i, 0)), i >= 0
}

// HTTPStatus is the HTTP status that a server of the mesh answers with when it refuses with c. The pairs are those of
// google.rpc.Code, which the gRPC-JSON gateways use too.
func (c Code) HTTPStatus() int {
	switch c {
	case OK:
		return 200
	case CanceledCode:
		return 499
	case InvalidArgument, FailedPrecondition, OutOfRange:
		return 400
	case DeadlineExceeded:
		return 504
	case NotFound:
		return 404
	case AlreadyExists, Aborted:
		return 409
	case PermissionDenied:
		return 403
	case ResourceExhausted:
		return 429
	case Unimplemented:
		return 501
	case Unavailable:
		return 503
	case Unauthenticated:
		return 401
	}
	return 500
}

// CodeOfHTTP is the code of an HTTP status: the table of grpc's http-grpc-status-mapping, widened by the statuses that
// [Code.HTTPStatus] produces, so that the way there and back ends in the same class.
func CodeOfHTTP(status int) Code {
	switch status {
	case 400:
		return InvalidArgument
	case 401:
		return Unauthenticated
	case 403:
		return PermissionDenied
	case 404:
		return NotFound
	case 409:
		return Aborted
	case 429:
		return ResourceExhausted
	case 499:
		return CanceledCode
	case 501:
		return Unimplemented
	case 502, 503:
		return Unavailable
	case 504:
		return DeadlineExceeded
	}
	switch {
	case status >= 500:
		return Internal
	case status >= 400:
		return FailedPrecondition
	}
	return OK
}
