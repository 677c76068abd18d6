package server

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// The names as http.Header keeps them, so that a lookup is one map access.
var (
	deadlineName        = http.CanonicalHeaderKey(call.HeaderDeadline)
	connectDeadlineName = http.CanonicalHeaderKey(call.HeaderConnectDeadline)
	grpcDeadlineName    = http.CanonicalHeaderKey(call.HeaderGRPCDeadline)
	attemptName         = http.CanonicalHeaderKey(call.HeaderAttempt)
)

// readHints takes from the header what the caller tells about its call. A value that is malformed is as good as none:
// these are hints of foreign senders, and a request without a deadline is a valid request. The shortest time wins.
func readHints(c *stack.Serve, h http.Header) {
	timed := func(name string, parse func(string) (time.Duration, bool)) {
		v := h[name]
		if len(v) == 0 {
			return
		}
		if left, ok := parse(v[0]); ok && (!c.Timed || left < c.Left) {
			c.Left, c.Timed = left, true
		}
	}
	timed(deadlineName, parseMillis)
	timed(connectDeadlineName, parseMillis)
	timed(grpcDeadlineName, parseGRPCTimeout)
	if v := h[attemptName]; len(v) > 0 {
		c.Attempt = parseAttempt(v[0])
	}
}

// parseMillis reads a time in milliseconds: digits, at most 18 of them, with a minus sign where the time is over.
func parseMillis(s string) (time.Duration, bool) {
	digits, over := s, false
	if len(s) > 0 && s[0] == '-' {
		digits, over = s[1:], true
	}
	n, ok := parseDigits(digits, 18)
	if !ok {
		return 0, false
	}
	if over {
		return 0, true
	}
	return times(n, time.Millisecond), true
}

// parseGRPCTimeout reads a number of at most 8 digits and a unit, as the gRPC protocol has it.
func parseGRPCTimeout(s string) (time.Duration, bool) {
	if len(s) < 2 {
		return 0, false
	}
	n, ok := parseDigits(s[:len(s)-1], 8)
	if !ok {
		return 0, false
	}
	switch s[len(s)-1] {
	case 'H':
		return times(n, time.Hour), true
	case 'M':
		return times(n, time.Minute), true
	case 'S':
		return times(n, time.Second), true
	case 'm':
		return times(n, time.Millisecond), true
	case 'u':
		return times(n, time.Microsecond), true
	case 'n':
		return times(n, time.Nanosecond), true
	}
	return 0, false
}

// parseAttempt reads the number of an attempt; 0 where it says nothing.
func parseAttempt(s string) int {
	n, _ := parseDigits(s, 9)
	return int(n)
}

// parseDigits reads a decimal number of 1 to most digits, and nothing else.
func parseDigits(s string, most int) (int64, bool) {
	if len(s) == 0 || len(s) > most {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// times is n units, or the longest time there is.
func times(n int64, unit time.Duration) time.Duration {
	if n > math.MaxInt64/int64(unit) {
		return math.MaxInt64
	}
	return time.Duration(n) * unit
}
