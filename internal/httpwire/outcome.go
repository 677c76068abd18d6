package httpwire

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/security"
)

// Answer is the outcome of an attempt that has a response.
func Answer(resp *http.Response) call.Outcome {
	o := call.Outcome{Status: resp.StatusCode}
	if resp.StatusCode < 400 {
		return o
	}
	o.Code = call.CodeOfHTTP(resp.StatusCode)
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return o
	}
	o.Overloaded = resp.Header.Get(call.HeaderOverloaded) == "true"
	o.RateLimited = resp.Header.Get(call.HeaderRateLimited) != ""
	o.Pushback, o.HasPushback = RetryAfter(resp.Header.Get(call.HeaderRetryAfter), time.Now())
	return o
}

// ErrHandedBack is what a request's GetBody answers when the transport wants to send an attempt's request yet another time
// by itself, see client's exchange. The transport asks only where the peer did not process the request (or it is one that
// net/http takes for idempotent).
var ErrHandedBack = errors.New("httpwire: the peer handed the request back unprocessed more than once")

// Broken is the outcome of an attempt that has none. wrote is false only where it is known that nothing of the request was
// written.
//
// Its code is UNAVAILABLE whatever err says: an error that reads like the end of a context may be the transport's own (a
// dialler's time limit) or that of another request whose connection this one shared. Whether the time of the call was
// over, or its caller gave up, is for the call path to say, which knows.
func Broken(err error, wrote bool) call.Outcome {
	o := call.Outcome{Err: security.Refusal(err), Code: call.Unavailable}
	o.RefusedStream = isRefusedStream(err)
	if !wrote || o.RefusedStream || isDial(err) || isOurRefusal(err) {
		o.Sent = call.SentNo
	}
	return o
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// isOurRefusal reports whether the server was refused by this process, within the handshake and so before the request.
func isOurRefusal(err error) bool {
	var h *security.HandshakeError
	return errors.As(err, &h) && h.Reason != security.ByPeer
}

func isRefusedStream(err error) bool {
	var se streamError
	return errors.As(err, &se) && se.Code == refusedStream || errors.Is(err, ErrHandedBack)
}

// streamError has the shape by which net/http hands out the stream errors of its own HTTP/2 (RFC 9113, 7).
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "" }

const refusedStream = 0x7

// RetryAfter reads the header of RFC 9110, 10.2.3: seconds, or a date. What it cannot read says nothing.
func RetryAfter(v string, now time.Time) (time.Duration, bool) {
	if v == "" {
		return 0, false
	}
	if s, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(s) * time.Second, true
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(t.Sub(now), 0), true
	}
	return 0, false
}
