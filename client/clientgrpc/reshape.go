package clientgrpc

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// Rewrite is asked by the call path where the call's route changes its target. A method that the route puts in the place of
// the one that was called is what the server executes, so it is that one's proto that says whether twice does no harm.
func (r *rpc) Rewrite() error {
	path := r.Rule().RewritePath(r.Method)
	if path == r.Method {
		return nil
	}
	if !isMethod(path) {
		return &call.Error{
			Reason: call.Invalid, Code: call.FailedPrecondition,
			Err: fmt.Errorf("clientgrpc: the route makes %q of the path, which is not of the form /service/method", path),
		}
	}
	r.sent = path
	r.Idempotent = methods.of(path).idempotent
	return nil
}

// isMethod reports whether a path is one that a gRPC server can have.
func isMethod(path string) bool {
	slash := strings.LastIndexByte(path, '/')
	return slash > 1 && slash < len(path)-1 && !strings.ContainsAny(path, "?# ")
}

// reshaped is a context whose outgoing metadata has the changes of the route, and the headers of the call path: what the mesh
// itself sets cannot be changed. The caller's metadata stays as it is.
func reshaped(ctx context.Context, ops []traffic.HeaderOp, fields []stack.Field) context.Context {
	md, ok := metadata.FromOutgoingContext(ctx) // a copy
	if !ok {
		md = metadata.MD{}
	}
	change(md, ops)
	for _, f := range fields {
		md[f.Name] = []string{f.Value}
	}
	return metadata.NewOutgoingContext(ctx, md)
}

// change makes the changes in their order. The metadata and its lists are copies that nobody else holds, as grpc gives them.
func change(md metadata.MD, ops []traffic.HeaderOp) {
	for _, op := range ops {
		switch op.Kind {
		case traffic.HeaderRemove:
			delete(md, op.Lower)
		case traffic.HeaderSet:
			md[op.Lower] = []string{op.Value}
		case traffic.HeaderAdd:
			md[op.Lower] = append(md[op.Lower], op.Value)
		}
	}
}

// reshapeHeader makes the changes of the route in what the caller asked to see of the answer's header, where there is one.
func (r *rpc) reshapeHeader() {
	ops := r.ResponseHeaders()
	if len(ops) == 0 {
		return
	}
	for _, o := range r.opts {
		if h, ok := o.(grpc.HeaderCallOption); ok && *h.HeaderAddr != nil {
			change(*h.HeaderAddr, ops)
		}
	}
}
