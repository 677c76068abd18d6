package client

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"

	"github.com/intramesh/intramesh/internal/httpwire"
	"github.com/intramesh/intramesh/internal/stack"
)

// exchange is one HTTP call: the wire beneath the call path. It is one allocation for a call with one attempt.
type exchange struct {
	stack.Call
	transport *transport
	req       *http.Request
	replay    *httpwire.Replay // nil unless the body is kept for a retry
	body      httpwire.Body    // the response's
	sent      bool             // the original body has been handed to a transport
	wrote     atomic.Bool      // the headers of the present attempt went out, where that is traced
}

// do runs the call and hands the response over.
func (x *exchange) do() (*http.Response, error) {
	err := x.transport.client.core.Do(&x.Call)
	x.settle(err != nil)
	if err != nil {
		return nil, convert(err)
	}
	a := x.Last()
	resp := a.Reply.(*http.Response)
	resp.Request = x.req
	x.body.Attach(resp, x, a.WatchBody())
	return resp, nil
}

// Moved and Over are what the response's body tells.
func (x *exchange) Moved() { x.Last().Moved() }

// Over ends the call when the body is over.
func (x *exchange) Over() { x.Finish() }

// Try sends the attempt.
func (x *exchange) Try(a *stack.Attempt) {
	out, err := x.outgoing(a)
	if err != nil {
		a.Outcome = httpwire.Broken(err, true)
		return
	}
	traced := x.Retries() && !x.Idempotent
	if traced {
		x.wrote.Store(false)
		trace := &httptrace.ClientTrace{WroteHeaders: func() { x.wrote.Store(true) }}
		out = out.WithContext(httptrace.WithClientTrace(out.Context(), trace))
	}
	resp, err := x.roundTripper(a).RoundTrip(out)
	if err != nil {
		a.Outcome = httpwire.Broken(err, !traced || x.wrote.Load())
		return
	}
	a.Replied()
	a.Reply = resp
	a.Outcome = httpwire.Answer(resp)
}

func (x *exchange) roundTripper(a *stack.Attempt) http.RoundTripper {
	if x.Direct {
		return x.transport.direct
	}
	return x.transport.pool.For(a.Node)
}

// outgoing is the attempt's own request. The caller's is never changed.
func (x *exchange) outgoing(a *stack.Attempt) (*http.Request, error) {
	out := x.req.WithContext(a.Ctx)
	if out.URL.Scheme == "mesh" {
		u := *out.URL
		u.Scheme = "http"
		out.URL = &u
	}
	if len(a.Fields) > 0 {
		out.Header = maps.Clone(out.Header)
		if out.Header == nil {
			out.Header = make(http.Header, len(a.Fields))
		}
		for _, f := range a.Fields {
			out.Header[textproto.CanonicalMIMEHeaderKey(f.Name)] = []string{f.Value}
		}
	}
	return out, x.attachBody(out)
}

// attachBody gives the attempt a body of its own.
func (x *exchange) attachBody(out *http.Request) error {
	body := x.req.Body
	if body == nil || body == http.NoBody {
		return nil
	}
	if x.replay == nil && !x.sent && x.req.GetBody == nil && x.keeps() {
		x.replay = httpwire.NewReplay(body, x.transport.client.cfg.ReplayBuffer)
	}
	switch {
	case x.replay != nil:
		out.Body = x.replay.Next()
	case !x.sent:
		x.sent = true
	default:
		next, err := x.req.GetBody()
		if err != nil {
			return err
		}
		out.Body = next
	}
	return nil
}

// keeps reports whether the body is worth keeping: another attempt is possible, and it is not known to be too long.
func (x *exchange) keeps() bool {
	limit := x.transport.client.cfg.ReplayBuffer
	return x.Retries() && limit > 0 && x.req.ContentLength <= limit
}

// Replayable reports whether the body can be sent again.
func (x *exchange) Replayable() bool {
	switch {
	case x.req.Body == nil || x.req.Body == http.NoBody || x.req.GetBody != nil:
		return true
	case x.replay != nil:
		return x.replay.Replayable()
	}
	return !x.sent && x.keeps()
}

// Answered reports whether there is a response.
func (x *exchange) Answered(a *stack.Attempt) bool { return a.Reply != nil }

// dropLimit is how much of a response that nobody wants is read, so that an HTTP/1.1 connection can be used again.
const dropLimit = 4 << 10

// Drop gives the response up.
func (x *exchange) Drop(a *stack.Attempt) {
	resp, ok := a.Reply.(*http.Response)
	if !ok || resp.Body == nil {
		return
	}
	a.Reply = nil
	if resp.ContentLength >= 0 && resp.ContentLength <= dropLimit {
		_, _ = io.CopyN(io.Discard, resp.Body, dropLimit)
	}
	_ = resp.Body.Close()
}

// settle closes the request's body when no transport will.
func (x *exchange) settle(failed bool) {
	switch {
	case x.replay != nil:
		x.replay.Settle(failed)
	case !x.sent:
		x.closeRequest()
	}
}

func (x *exchange) closeRequest() {
	if x.req.Body != nil {
		_ = x.req.Body.Close()
	}
}
