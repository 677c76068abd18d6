package clientgrpc

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// outcome is how an attempt ended that grpc reported with err.
func (r *rpc) outcome(a *stack.Attempt, err error) call.Outcome {
	if err == nil {
		return call.Outcome{}
	}
	if r.authorityRefused(err) {
		return r.misaddressed(err)
	}
	p := &r.picked
	if refused, ok := errors.AsType[*call.Error](p.refusal); ok && refused.Reason == call.Invalid {
		return r.forbidden(refused)
	}
	o := outcomeOf(err, p.trailer)
	switch {
	case o.Code == call.DeadlineExceeded:
		runOut(a.Ctx)
	case o.Code != call.Unavailable:
		// What keeps grpc from sending for a reason of the caller's own (credentials, a message that is too large) has
		// another code and would do so everywhere.
	case p.refusal != nil:
		o.Sent, o.Err = call.SentNo, p.refusal
	case p.over && p.sent && !p.received && handedBack(err, true):
		o.Sent, o.RefusedStream = call.SentNo, true
	}
	return o
}

// runOut waits for the end of a context whose time is over. The server has the same deadline, and may say so a moment
// before our own clock does: it is our clock's verdict all the same, and not an answer.
func runOut(ctx context.Context) {
	if d, ok := ctx.Deadline(); ok && time.Until(d) < time.Millisecond {
		<-ctx.Done()
	}
}

// outcomeOf reads a status and the trailer that came with it.
func outcomeOf(err error, trailer metadata.MD) call.Outcome {
	o := call.Outcome{Err: err, Code: call.Code(status.Code(err))}
	if len(trailer) == 0 {
		return o
	}
	if v := trailer[call.HeaderOverloaded]; len(v) == 1 && v[0] == "true" && trailersOnly(trailer) {
		o.Overloaded = o.Code == call.Unavailable || o.Code == call.ResourceExhausted
	}
	if v := trailer[call.HeaderPushback]; len(v) > 0 {
		o.Pushback, o.HasPushback = pushback(v), true
	}
	return o
}

// trailersOnly reports whether a trailer is all that there was of an answer: the first block of headers, and only that,
// has a content type. A mark of refusal counts only there, since whoever has sent headers has begun to work.
func trailersOnly(trailer metadata.MD) bool { return len(trailer["content-type"]) > 0 }

// pushback reads the server's advice. What is not a number, or given twice, says "do not" (gRFC A6).
func pushback(v []string) time.Duration {
	ms, err := strconv.ParseInt(v[0], 10, 32)
	if err != nil || len(v) > 1 || ms < 0 {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
}

// handedBack reports whether err is one by which grpc itself says, no byte of an answer having come, that the server did
// not process the stream: it was above the last one of a GOAWAY, or reset by REFUSED_STREAM, or never created (sent is
// false) because the connection was about to close. grpc has no other word for it than the text; a text that it does not
// use any more makes the attempt one that may have been executed, which is the careful side, and fails the tests. (grpc
// repeats the first such stream of a call by itself; this is for the second.)
func handedBack(err error, sent bool) bool {
	s := status.Convert(err)
	if s.Code() != codes.Unavailable {
		return false
	}
	switch s.Message() {
	case "the stream is rejected because server is draining the connection",
		"the connection is draining",
		"stream terminated by RST_STREAM with error code: REFUSED_STREAM":
		return true
	}
	return !sent && strings.Contains(s.Message(), "transport is closing")
}
