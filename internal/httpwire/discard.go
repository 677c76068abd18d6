package httpwire

import (
	"io"
	"net/http"
	"time"
)

// What is spent on the body of a response that nobody wants, so that its HTTP/1.1 connection can be used again: a server
// that refuses because of load should not have to make new connections as well.
const (
	discardBytes = 4 << 10
	discardTime  = 50 * time.Millisecond
)

// Discard gives a response up. Its body is read if it is known to be short, and only while it comes at once: a server that
// answers 503 and then hangs must not hold up the next attempt.
func Discard(resp *http.Response) {
	body := resp.Body
	if n := resp.ContentLength; body != nil && n > 0 && n <= discardBytes {
		t := time.AfterFunc(discardTime, func() { _ = body.Close() })
		_, _ = io.Copy(io.Discard, body)
		t.Stop()
	}
	Close(resp)
}

// Close closes a response's body, which a transport that somebody wrote for a test may have left out.
func Close(resp *http.Response) {
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
}
