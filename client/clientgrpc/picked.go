package clientgrpc

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// picked is what the picker chose last for the present attempt and what became of it. grpc may pick more than once: its
// transparent retries do, and so do its retries of streams. They follow one another.
type picked struct {
	node     *stack.Node   // nil once it is known how it went there
	began    time.Duration // since origin
	took     time.Duration
	refusal  error       // there was none to give
	over     bool        // its stream has ended; a further pick is a repetition
	sent     bool        // its stream was created, so something may have reached the server
	received bool        // something came back
	err      error       // what that stream ended with, as far as Done is told
	trailer  metadata.MD // and its trailer
}

// origin is where the clock of the picks begins: the time since then is one word, and sooner read than the time of day.
var origin = time.Now()

// take notes a choice and gives what grpc calls when the stream it was made for is over. Where the call is counted it leaves
// the connection then.
func (r *rpc) take(c *conn, counted bool) func(balancer.DoneInfo) {
	n := c.node
	r.picked = picked{node: n, began: clock()}
	a := r.Last()
	a.Node, a.Addr = n, n.Addr()
	n.Load.Begin()
	return func(info balancer.DoneInfo) {
		n.Load.End()
		p, now := &r.picked, clock()
		if counted {
			c.leave(now)
		}
		p.took, p.over = now-p.began, true
		p.sent, p.received, p.err, p.trailer = info.BytesSent, info.BytesReceived, info.Err, info.Trailer
	}
}

// settle tells the endpoint that was picked last how it went there; err is what the stream ended with. Done is not the
// place for that: where a message could not be written because the stream was over, grpc calls it without an error,
// whatever the status was, and a server that fails at once would seem to be the fastest of all.
func (r *rpc) settle(err error) {
	p := &r.picked
	n := p.node
	if n == nil || !p.sent {
		return
	}
	p.node = nil
	at := call.Attempt{Took: p.took}
	switch {
	case err != nil:
		at.Outcome = outcomeOf(err, p.trailer)
		at.Outcome.Canceled = r.Ctx.Err() == context.Canceled //nolint:errorlint // contexts return these very values
	case !p.received:
		return // the connection was gone before anything happened: this says nothing
	}
	at.Outcome.Received = p.received
	class := call.Classify(at.Outcome)
	switch {
	case !r.Streaming:
	case class == call.Success:
		at.Took = 0 // how long a stream lasted says nothing of the endpoint's latency
	case p.received && r.Ctx.Err() != nil:
		class = call.Canceled // a stream that is well ends at its caller's deadline, too
	}
	r.Last().Judge(n, class, &at)
}

// again is asked at every pick; it acts where grpc picks a second time within an attempt. Where grpc repeats a stream by its
// retryPolicy, the policy and its budget have the last word: a retry that they forbid ends with what the peer said. That
// status may be returned from a picker since it is one of the codes that the retryPolicy names, none of which gRFC A54
// forbids.
func (r *rpc) again() error {
	p := &r.picked
	if !p.over {
		return nil
	}
	if r.authorityRefused(p.err) {
		return p.err // everywhere
	}
	if !p.sent && p.err == nil {
		// The connection was lost between the choice and its use: nothing was tried, so nothing is repeated.
		r.picked = picked{}
		r.Last().Lose()
		return nil
	}
	p.over, r.repeats = false, true
	after := r.repeatable()
	err := p.err
	if err == nil && (p.received || len(after) > 0) {
		err = errVetoed // grpc noticed while sending, and keeps the status to itself
	}
	r.settle(err)
	if r.Streaming && r.byPolicy(after) && !r.Last().Permit(r.repeated(after)) {
		return err
	}
	r.Last().Lose()
	return nil
}

// byPolicy reports whether grpc repeats the stream by its retryPolicy, and not transparently, which it does only with what
// no server has processed: as often as it likes while the stream was not created, and once when it was. What cannot be
// told apart counts as the former.
func (r *rpc) byPolicy(after []call.Code) bool {
	p := &r.picked
	switch {
	case p.received:
		return true
	case len(after) == 0:
		return false
	case p.err == nil || !handedBack(p.err, p.sent):
		return true
	case p.sent && r.spared:
		return true
	}
	r.spared = p.sent
	return false
}

// repeated is the outcome of the stream that grpc wants to repeat. Where grpc keeps the status to itself it is one of those
// that the retryPolicy names; as that speaks for all routes, it may be one that this call's own policy does not repeat. It
// counts as one that it does where twice does no harm, and else as one that it does not.
func (r *rpc) repeated(after []call.Code) call.Outcome {
	p := &r.picked
	if p.err != nil {
		o := outcomeOf(p.err, p.trailer)
		if !p.received && handedBack(p.err, p.sent) {
			o.Sent, o.RefusedStream = call.SentNo, true
		}
		return o
	}
	o := outcomeOf(errVetoed, p.trailer)
	own := repeatable(r.Retry(), methods.of(r.sent).idempotent)
	for _, c := range after {
		if o.Code = c; slices.Contains(own, c) == r.Idempotent {
			break
		}
	}
	return o
}

// repeatable are the codes after which grpc repeats this call's method.
func (r *rpc) repeatable() []call.Code {
	if !r.Streaming || r.emitted == nil {
		return nil
	}
	return r.emitted.after(methods.of(r.sent))
}

// notPicked says for grpc what the choice came to.
func (r *rpc) notPicked(err error, g *group) error {
	if errors.Is(err, stack.ErrWait) {
		return balancer.ErrNoSubConnAvailable // grpc asks again when the connections change
	}
	if errors.Is(err, stack.ErrNotConnected) {
		err = g.trouble(err)
	}
	r.picked.refusal = err
	if r.Streaming && r.failFast {
		// As a status it also keeps grpc from trying again by the retryPolicy: that is the fan-out's to do.
		return status.Error(codes.Unavailable, err.Error())
	}
	return err
}
