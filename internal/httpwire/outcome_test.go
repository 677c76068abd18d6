package httpwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/call"
)

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		status  int
		headers http.Header
		want    call.Outcome
		class   call.Class
	}{
		{200, nil, call.Outcome{Status: 200}, call.Success},
		{200, http.Header{"X-Envoy-Overloaded": {"true"}, "Retry-After": {"1"}}, call.Outcome{Status: 200}, call.Success},
		{304, nil, call.Outcome{Status: 304}, call.Success},
		{404, nil, call.Outcome{Status: 404, Code: call.NotFound}, call.Success},
		{500, http.Header{"Retry-After": {"1"}}, call.Outcome{Status: 500, Code: call.Internal}, call.Failure},
		{501, nil, call.Outcome{Status: 501, Code: call.Unimplemented}, call.Success},
		{503, nil, call.Outcome{Status: 503, Code: call.Unavailable}, call.Failure},
		{503, http.Header{"X-Envoy-Overloaded": {"true"}}, call.Outcome{Status: 503, Code: call.Unavailable, Overloaded: true}, call.Refused},
		{503, http.Header{"X-Envoy-Overloaded": {"false"}}, call.Outcome{Status: 503, Code: call.Unavailable}, call.Failure},
		{502, http.Header{"X-Envoy-Overloaded": {"true"}}, call.Outcome{Status: 502, Code: call.Unavailable}, call.Failure},
		{429, nil, call.Outcome{Status: 429, Code: call.ResourceExhausted}, call.Busy},
		{
			429, http.Header{"X-Envoy-Ratelimited": {"true"}, "Retry-After": {"7"}},
			call.Outcome{Status: 429, Code: call.ResourceExhausted, RateLimited: true, Pushback: 7 * time.Second, HasPushback: true}, call.Busy,
		},
	} {
		got := Answer(&http.Response{StatusCode: tt.status, Header: tt.headers})
		if got != tt.want || call.Classify(got) != tt.class {
			t.Errorf("%d %v: %+v (%v), want %+v (%v)", tt.status, tt.headers, got, call.Classify(got), tt.want, tt.class)
		}
	}
}

func TestBroken(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	read := &net.OpError{Op: "read", Err: errors.New("reset")}
	for _, tt := range []struct {
		err     error
		wrote   bool
		sent    call.Sent
		refused bool
	}{
		{read, true, call.SentUnknown, false},
		{read, false, call.SentNo, false},
		{dial, true, call.SentNo, false},
		{fmt.Errorf("wrapped: %w", dial), true, call.SentNo, false},
		{ErrHandedBack, true, call.SentNo, true},
		{context.DeadlineExceeded, true, call.SentUnknown, false},
		{context.Canceled, true, call.SentUnknown, false},
	} {
		o := Broken(tt.err, tt.wrote)
		if o.Sent != tt.sent || o.RefusedStream != tt.refused || o.Code != call.Unavailable || o.Err != tt.err { //nolint:errorlint // that very error
			t.Errorf("%v, %v: %+v", tt.err, tt.wrote, o)
		}
		if c := call.Classify(o); c != call.Failure && c != call.Refused {
			t.Errorf("%v: %v", tt.err, c)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, "007": 7 * time.Second, "2147483647": 2147483647 * time.Second,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
	} {
		if got, ok := RetryAfter(in, now); got != want || !ok {
			t.Errorf("%q: %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "-1", "+1", "1.5", "soon", "2147483648", "99999999999999999999", " 1", "0x1"} {
		if got, ok := RetryAfter(in, now); ok {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "120", "-1", "99999999999", "Fri, 02 Jan 2026 03:04:05 GMT", "Friday, 02-Jan-26 03:04:05 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := RetryAfter(s, now); d < 0 || d > 0 && !ok {
			t.Errorf("%q: %v, %v", s, d, ok)
		}
	})
}
