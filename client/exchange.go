package client

import (
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/httpwire"
	"github.com/intramesh/intramesh/internal/stack"
)

// exchange is one HTTP call: the wire beneath the call path. It is one allocation for a call with one attempt.
type exchange struct {
	stack.Call

	transport *transport
	req       *http.Request
	replay    *httpwire.Replay      // nil unless the body is kept for a retry
	body      httpwire.Body         // the response's
	sent      bool                  // the original body has been handed to a transport
	again     bool                  // the transport has sent the present attempt's request a second time by itself
	sending   atomic.Int32          // how far the present attempt has got, where that is traced
	trace     httptrace.ClientTrace // of the first attempt, where that is traced
	url       url.URL               // as transports know it, where the caller's scheme is mesh
	values    [2]string             // the first attempt's headers
}

// do runs the call and hands the response over.
func (x *exchange) do() (*http.Response, error) {
	err := x.transport.client.core.Do(&x.Call)
	x.settle(err != nil)
	if err != nil {
		if resp := x.answered(err); resp != nil {
			x.reshape(resp)
			return resp, nil
		}
		return nil, convert(err)
	}
	a := x.Last()
	resp := a.Reply.(*http.Response)
	resp.Request = x.req
	x.reshape(resp)
	if rwc := httpwire.Upgraded(resp); rwc != nil {
		a.OnIdle = func() { _ = rwc.Close() }
	}
	x.body.Attach(resp, x, a.WatchBody())
	return resp, nil
}

// Moved, Failed and Over are what the response's body tells.
func (x *exchange) Moved() { x.Last().Moved() }

// Failed says so where the mesh ended the body for its silence. That a body broke off, neither by its reader's doing nor
// by the end of anybody's time, counts against who sent it; an upgraded connection ends as its two sides like.
func (x *exchange) Failed(err error) error {
	a := x.Last()
	if idle := a.IdledOut(); idle != nil {
		return convert(idle)
	}
	if a.Ctx.Err() == nil && !x.body.Closed() && a.Outcome.Status != http.StatusSwitchingProtocols {
		x.Broke()
	}
	if e := unspoil(err); e != nil {
		return e
	}
	return err
}

// Over ends the call when the body is over.
func (x *exchange) Over() { x.Finish() }

var errNothing = errors.New("client: the transport returned neither a response nor an error")

// Try sends the attempt.
func (x *exchange) Try(a *stack.Attempt) {
	ctx, traced := a.Ctx, x.NeedsSent()
	if traced {
		x.sending.Store(untold)
		ctx = httptrace.WithClientTrace(ctx, x.tracer(a))
	}
	out, err := x.outgoing(ctx, a)
	if err != nil {
		a.Outcome = httpwire.Broken(err, true)
		return
	}
	resp, err := x.roundTripper(a).RoundTrip(out)
	switch {
	case err == nil && resp == nil:
		err = errNothing
	case err == nil && !a.Replied():
		httpwire.Close(resp)
		err = a.Late()
	}
	if err != nil {
		a.Outcome = x.broken(err, !traced || x.sending.Load() != unsent)
		return
	}
	a.Spoke(resp.ProtoMajor)
	a.Reply = resp
	a.Outcome = httpwire.Answer(resp)
	x.spoil(a, resp)
}

// What is known of an attempt that is traced. A transport that says nothing may have done anything: that a request was
// never sent needs proof, as it may then be repeated whatever it does.
const (
	untold int32 = iota
	unsent       // a connection was asked for
	begun        // and was there
)

// tracer is the attempt's own: a transport may still look at that of an attempt that was given up.
func (x *exchange) tracer(a *stack.Attempt) *httptrace.ClientTrace {
	t := &x.trace
	if a.Number > 1 {
		t = new(httptrace.ClientTrace)
	}
	t.GetConn, t.GotConn = x.getConn, x.gotConn
	return t
}

func (x *exchange) getConn(string) { x.sending.CompareAndSwap(untold, unsent) }

// gotConn is where a request may begin to be written. The hook that says that the headers were written is too late: over
// HTTP/2 it runs after the write, and an attempt that is given up in between would pass for one that was never sent.
func (x *exchange) gotConn(httptrace.GotConnInfo) { x.sending.Store(begun) }

// broken is the outcome of an attempt without a response. Idempotent requests are ones that net/http repeats after they
// were written, so for them it says nothing that the transport wanted to.
func (x *exchange) broken(err error, wrote bool) call.Outcome {
	if errors.Is(err, httpwire.ErrHandedBack) && idempotent(x.req) {
		return call.Outcome{Err: err, Code: call.Unavailable}
	}
	return httpwire.Broken(err, wrote)
}

func (x *exchange) roundTripper(a *stack.Attempt) http.RoundTripper {
	if x.Direct {
		return x.transport.direct
	}
	return x.transport.pool.For(a.Node)
}

// Answered reports whether there is a response.
func (x *exchange) Answered(a *stack.Attempt) bool { return a.Reply != nil }

// Drop gives the response up.
func (x *exchange) Drop(a *stack.Attempt) {
	if resp, ok := a.Reply.(*http.Response); ok {
		a.Reply = nil
		httpwire.Discard(resp)
	}
}
