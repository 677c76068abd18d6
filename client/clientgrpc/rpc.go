package clientgrpc

import (
	"context"
	"net/url"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// rpc is one gRPC call, unary or stream: the part of the wire beneath the call path that both share. It is one
// allocation for a call with one attempt.
type rpc struct {
	stack.Call
	dialer   *dialer
	conn     *grpc.ClientConn
	ctx      attemptContext // of the first attempt
	picked   picked
	failFast bool                      // a stream that does not wait until a connection is ready
	spared   bool                      // grpc has repeated this attempt's stream transparently
	repeats  bool                      // grpc has repeated a stream of this call
	sent     string                    // the method that the server sees: another than Method where a route rewrites it
	opts     []grpc.CallOption         // without those in finished
	finished []grpc.OnFinishCallOption // the caller's, run once a call and not once an attempt
	emitted  *emitted                  // what grpc was told to repeat when it first picked for this attempt's stream

	shadowed   *shadow     // what it is a copy of; nil: it is none
	metadata   metadata.MD // that conditions of routes have asked for
	unknowable bool        // a mesh target, and no source that would know it
}

// start fills in what is known before the call path begins.
func (r *rpc) start(ctx context.Context, d *dialer, cc *grpc.ClientConn, method string, opts []grpc.CallOption) {
	r.dialer, r.conn = d, cc
	r.Protocol, r.Ctx, r.Method, r.sent = call.GRPC, ctx, method, method
	r.opts = r.holdBack(opts)
	service, meshed := serviceOf(cc.Target())
	r.Service, r.Direct, r.ChoosesLate = service, d.direct || !meshed || d.config.Discovery == nil, true
	r.unknowable = meshed && d.config.Discovery == nil
	r.Idempotent = methods.of(method).idempotent
}

// do takes the call through the call path, unless there is nobody to ask where it should go.
func (r *rpc) do() error {
	if r.unknowable {
		return &call.Error{
			Service: r.Service, Method: r.Method, Reason: call.Invalid, Code: call.FailedPrecondition, Err: errNoDiscovery,
		}
	}
	return r.dialer.core.Do(&r.Call)
}

// serviceOf is the destination that a connection's target names, and whether it is one that the mesh resolves.
func serviceOf(target string) (service string, meshed bool) {
	if len(target) > len(scheme) && target[len(scheme)] == ':' && strings.EqualFold(target[:len(scheme)], scheme) {
		return strings.ToLower(strings.TrimLeft(target[len(scheme)+1:], "/")), true
	}
	if _, rest, ok := strings.Cut(target, "://"); ok {
		if _, name, ok := strings.Cut(rest, "/"); ok {
			return name, false
		}
		return rest, false
	}
	return target, false
}

// validService reports whether a mesh target's name is one that a registry can have.
func validService(name string, u url.URL) bool {
	return name != "" && u.Host == "" && u.RawQuery == "" && u.Fragment == "" && !strings.ContainsAny(name, "/%?# ")
}

// attemptContext carries the call to the picker. It is not made by context.WithValue so that a call with one attempt
// needs no further allocation.
type attemptContext struct {
	context.Context

	rpc *rpc
}

type rpcKey struct{}

func (c *attemptContext) Value(key any) any {
	if key == (rpcKey{}) {
		return c.rpc
	}
	return c.Context.Value(key)
}

// outgoing is the context of an attempt, with the headers that the call path gave it.
func (r *rpc) outgoing(a *stack.Attempt) context.Context {
	c := &r.ctx
	if a.Number > 1 {
		// Something of an earlier attempt may still hold the first.
		c = new(attemptContext)
	}
	c.Context, c.rpc = a.Ctx, r
	r.picked, r.spared, r.emitted = picked{}, false, nil
	var ctx context.Context = c
	if ops := r.RequestHeaders(); len(ops) > 0 {
		return reshaped(ctx, ops, a.Fields)
	}
	if len(a.Fields) > 0 {
		var room [8]string // a copy is made of it
		pairs := room[:0]
		for _, f := range a.Fields {
			pairs = append(pairs, f.Name, f.Value)
		}
		ctx = metadata.AppendToOutgoingContext(ctx, pairs...)
	}
	return ctx
}

// Answered reports whether what grpc returned is for the caller as it is: the peer's status, or the end of the caller's
// own context, as grpc words it.
func (r *rpc) Answered(a *stack.Attempt) bool {
	o := &a.Outcome
	switch {
	case o.Err == nil || r.Ctx.Err() != nil:
		return true
	case o.Expired || o.Sent == call.SentNo:
		return false
	}
	return o.Code != call.DeadlineExceeded || a.Ctx.Err() == nil
}

// Replayable is always true: a message is marshalled anew for each attempt.
func (r *rpc) Replayable() bool { return true }

// holdBack takes the options out that would otherwise run once for each attempt.
func (r *rpc) holdBack(opts []grpc.CallOption) []grpc.CallOption {
	for i, o := range opts {
		if _, ok := o.(grpc.OnFinishCallOption); !ok {
			continue
		}
		keep := append([]grpc.CallOption(nil), opts[:i]...)
		for _, o := range opts[i:] {
			if f, ok := o.(grpc.OnFinishCallOption); ok {
				r.finished = append(r.finished, f)
			} else {
				keep = append(keep, o)
			}
		}
		return keep
	}
	return opts
}

// tell runs what the caller wanted to be run when the call is over.
func (r *rpc) tell(err error) {
	for _, f := range r.finished {
		f.OnFinish(err)
	}
}
