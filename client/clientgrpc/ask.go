package clientgrpc

import (
	"google.golang.org/grpc/metadata"

	"github.com/intramesh/intramesh/client/traffic"
)

// Request is what routes ask of the call.
func (r *rpc) Request() traffic.Request {
	return traffic.Request{
		GRPC: true, Authority: r.authority(), Path: r.Method, Method: "POST", Header: (*asked)(r),
	}
}

// asked is the metadata of a call, for conditions on it.
type asked rpc

// noMetadata stands for that of a call without any. Nobody writes to it.
var noMetadata = metadata.MD{}

// Lookup gives the first value of a metadata key. grpc gives metadata away as a copy alone, so one is made where a
// condition asks, and kept for the next.
func (a *asked) Lookup(lower, _ string) (string, bool) {
	if a.metadata == nil {
		if a.metadata, _ = metadata.FromOutgoingContext(a.Ctx); a.metadata == nil {
			a.metadata = noMetadata
		}
	}
	if v := a.metadata[lower]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}
