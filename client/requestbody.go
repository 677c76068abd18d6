package client

import (
	"io"
	"net/http"

	"github.com/intramesh/intramesh/internal/httpwire"
	"github.com/intramesh/intramesh/internal/stack"
)

// attachBody gives the attempt a body of its own.
func (x *exchange) attachBody(out *http.Request, a *stack.Attempt) error {
	if !x.hasBody() {
		return nil
	}
	if x.replay == nil && !x.sent && x.req.GetBody == nil && x.keeps() {
		x.replay = httpwire.NewReplay(x.tee(x.req.Body), x.transport.client.cfg.ReplayBuffer)
	}
	switch {
	case x.replay != nil:
		out.Body = x.replay.Next()
	case !x.sent:
		x.sent, out.Body = true, x.tee(out.Body)
	default:
		next, err := x.req.GetBody()
		if err != nil {
			return err
		}
		out.Body = x.tee(next)
	}
	if x.Retries() && (x.replay != nil || x.req.GetBody != nil) {
		x.again = false
		out.GetBody = x.secondBody
	}
	x.watch(out, a)
	return nil
}

// watch has the clock know when the body moves, and the body when the attempt is over, where that can take long.
func (x *exchange) watch(out *http.Request, a *stack.Attempt) {
	if out.ContentLength > 0 && out.ContentLength <= quickBody {
		return
	}
	var moved func()
	if a.Waits() {
		moved = a.Moved
	}
	out.Body = httpwire.NewUpload(a.Ctx, out.Body, moved)
}

// quickBody is the length in bytes up to which sending a body takes no time that matters to the wait for the reply.
const quickBody = 64 << 10

// secondBody is the GetBody of an attempt: a transport may send a request again by itself where a connection that was
// kept idle turned out to be closed, or the peer handed it back. Once is a matter of that connection. After that the
// fan-out takes over, which goes to another endpoint; net/http would stay at this one, with pauses that grow to 32 s.
func (x *exchange) secondBody() (io.ReadCloser, error) {
	switch {
	case x.again || x.replay != nil && !x.replay.Replayable():
		return nil, httpwire.ErrHandedBack
	case x.replay != nil:
		x.again = true
		return x.replay.Next(), nil
	}
	x.again = true
	next, err := x.req.GetBody()
	if err != nil {
		return nil, err
	}
	return x.tee(next), nil
}

func (x *exchange) hasBody() bool { return x.req.Body != nil && x.req.Body != http.NoBody }

// keeps reports whether the body is worth keeping: another attempt is possible, and it is not known to be too long.
func (x *exchange) keeps() bool {
	limit := x.transport.client.cfg.ReplayBuffer
	return x.Retries() && limit > 0 && x.req.ContentLength <= limit
}

// Replayable reports whether the body can be sent again.
func (x *exchange) Replayable() bool {
	switch {
	case !x.hasBody() || x.req.GetBody != nil:
		return true
	case x.replay != nil:
		return x.replay.Replayable()
	}
	return !x.sent && x.keeps()
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
