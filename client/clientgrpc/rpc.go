package clientgrpc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// rpc is one gRPC call, unary or stream: the part of the wire beneath the call path that both share. It is one
// allocation for a call with one attempt.
type rpc struct {
	stack.Call
	dialer *dialer
	conn   *grpc.ClientConn
	ctx    attemptContext // of the first attempt
	picked picked
}

// start fills in what is known before the call path begins.
func (r *rpc) start(ctx context.Context, d *dialer, cc *grpc.ClientConn, method string) {
	r.dialer, r.conn = d, cc
	r.Protocol, r.Ctx, r.Method = call.GRPC, ctx, method
	r.Service, r.Direct, r.ChoosesLate = serviceOf(cc), d.direct, true
	r.Idempotent = methods.of(method).idempotent
}

// serviceOf is the destination that a connection's target names.
func serviceOf(cc *grpc.ClientConn) string {
	t := cc.Target()
	if name, ok := strings.CutPrefix(t, scheme+":"); ok {
		return strings.ToLower(strings.TrimLeft(name, "/"))
	}
	if _, rest, ok := strings.Cut(t, "://"); ok {
		if _, name, ok := strings.Cut(rest, "/"); ok {
			return name
		}
		return rest
	}
	return t
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
	r.picked.renew()
	var ctx context.Context = c
	for _, f := range a.Fields {
		//nolint:fatcontext // two fields at most, and none for most calls
		ctx = metadata.AppendToOutgoingContext(ctx, f.Name, f.Value)
	}
	return ctx
}

// outcome is how an attempt ended that grpc reported with err.
func (r *rpc) outcome(err error) call.Outcome {
	if err == nil {
		return call.Outcome{}
	}
	o := outcomeOf(err, r.picked.trailer)
	if r.picked.unsent() {
		o.Sent = call.SentNo
	}
	return o
}

// outcomeOf reads a status and the trailer that came with it.
func outcomeOf(err error, trailer metadata.MD) call.Outcome {
	o := call.Outcome{Err: err, Code: call.Code(status.Code(err))}
	if len(trailer) == 0 {
		return o
	}
	if v := trailer[call.HeaderOverloaded]; len(v) == 1 && v[0] == "true" {
		o.Overloaded = o.Code == call.Unavailable || o.Code == call.ResourceExhausted
	}
	if v := trailer[call.HeaderPushback]; len(v) > 0 {
		o.Pushback, o.HasPushback = pushback(v), true
	}
	return o
}

// pushback reads the server's advice. What is not a number, or given twice, says "do not" (gRFC A6).
func pushback(v []string) time.Duration {
	ms, err := strconv.ParseInt(v[0], 10, 32)
	if err != nil || len(v) > 1 || ms < 0 {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
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

// picked is what the picker chose for the present attempt and what became of it. grpc may pick more than once: its
// transparent retries do, and so do its retries of streams.
type picked struct {
	node    *stack.Node
	began   time.Time
	times   int         // how many choices grpc got
	failed  bool        // there was none to give
	over    bool        // the last one's stream has ended; a further pick is a repetition
	sent    bool        // the last one's stream was created, so something may have reached the server
	err     error       // what that stream ended with
	trailer metadata.MD // and its trailer
}

func (p *picked) renew() { *p = picked{} }

// unsent reports whether it is certain that nothing reached a server in this attempt.
func (p *picked) unsent() bool { return p.failed || (p.times > 0 && !p.sent) }

// take notes a choice.
func (r *rpc) take(n *stack.Node) {
	p := &r.picked
	p.node, p.began, p.failed, p.over, p.sent = n, time.Now(), false, false, false
	p.times++
	n.Load.Begin()
	a := r.Last()
	a.Node, a.Addr = n, n.Addr()
}

// done is called by grpc when the stream that a pick was made for is over.
func (r *rpc) done(info balancer.DoneInfo) {
	p := &r.picked
	n := p.node
	if n == nil {
		return
	}
	p.node = nil
	n.Load.End()
	p.over, p.sent, p.err, p.trailer = true, info.BytesSent, info.Err, info.Trailer
	if info.Err == nil && !info.BytesReceived {
		return // the connection was gone before anything happened: this says nothing
	}
	if r.Streaming && info.Err == nil {
		return // how long a stream lasted says nothing of the endpoint's latency
	}
	at := call.Attempt{Took: time.Since(p.began)}
	if info.Err != nil {
		at.Outcome = outcomeOf(info.Err, info.Trailer)
		at.Outcome.Canceled = r.Ctx.Err() == context.Canceled
	}
	n.Judge(call.Classify(at.Outcome), &at)
}
