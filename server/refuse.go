package server

import (
	"net/http"
	"strconv"
	"time"
)

const markName = "X-Envoy-Overloaded"

// mark is the value of the header that says "refused before work". Its identity is the proof that Refuse put it there: a
// mark that a handler copied from another server's answer has the same text and another address.
var mark = []string{"true"}

// Refuse answers 503 and says that no work was done, so that it is safe to send the request elsewhere, whatever its
// method. Call it only where that is true, and before anything is written to w. retryAfter is rounded up to whole
// seconds; 0 gives no advice.
//
// The handler must be wrapped by [Server.Handler]: it lets the mark of Refuse pass and removes all others, because an
// upstream that did no work says nothing about what this process has done.
func Refuse(w http.ResponseWriter, retryAfter time.Duration) {
	h := w.Header()
	h[markName] = mark
	if retryAfter > 0 {
		seconds := (retryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	sendText(w, http.StatusServiceUnavailable, "refused before work")
}

// stripMark removes a mark that is not our own.
func stripMark(h http.Header) {
	if v, ok := h[markName]; ok && (len(v) != 1 || &v[0] != &mark[0]) {
		delete(h, markName)
	}
}
