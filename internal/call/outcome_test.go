package call

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestClassify is the table of DESIGN section 6: one judgement for both protocols.
func TestClassify(t *testing.T) {
	bad := errors.New("bad")
	for _, tt := range []struct {
		name string
		o    Outcome
		want Class
	}{
		{"nothing wrong", Outcome{}, Success},
		{"200", Outcome{Status: 200}, Success},
		{"404", Outcome{Status: 404, Code: NotFound}, Success},
		{"429", Outcome{Status: 429}, Busy},
		{"429 by a limiter", Outcome{Status: 429, RateLimited: true}, Busy},
		{"503 by a limiter", Outcome{Status: 503, RateLimited: true}, Failure},
		{"500", Outcome{Status: 500}, Failure},
		{"501", Outcome{Status: 501}, Success},
		{"503", Outcome{Status: 503}, Failure},
		{"599", Outcome{Status: 599}, Failure},
		{"503 refused before work", Outcome{Status: 503, Overloaded: true}, Refused},
		{"429 refused before work", Outcome{Status: 429, Overloaded: true}, Refused},
		{"never written", Outcome{Err: bad, Code: Unavailable, Sent: SentNo}, Refused},
		{"refused stream", Outcome{Err: bad, Code: Unavailable, Sent: SentNo, RefusedStream: true}, Refused},
		{"broken", Outcome{Err: bad, Code: Unavailable}, Failure},
		{"expired", Outcome{Err: bad, Code: DeadlineExceeded, Expired: true}, Failure},
		{"caller gave up", Outcome{Err: bad, Code: CanceledCode, Canceled: true}, Canceled},
		{"caller gave up before it was written", Outcome{Err: bad, Canceled: true, Sent: SentNo}, Canceled},
		{"caller gave up, overloaded", Outcome{Status: 503, Overloaded: true, Canceled: true}, Canceled},
		{"callee's deadline", Outcome{Err: bad, Code: DeadlineExceeded}, Failure},
		{"unknown", Outcome{Err: bad, Code: Unknown}, Failure},
		{"internal", Outcome{Err: bad, Code: Internal}, Failure},
		{"data loss", Outcome{Err: bad, Code: DataLoss}, Failure},
		{"exhausted", Outcome{Err: bad, Code: ResourceExhausted}, Busy},
		{"exhausted, refused before work", Outcome{Err: bad, Code: ResourceExhausted, Overloaded: true}, Refused},
		{"invalid", Outcome{Err: bad, Code: InvalidArgument}, Success},
		{"denied", Outcome{Err: bad, Code: PermissionDenied}, Success},
		{"aborted", Outcome{Err: bad, Code: Aborted}, Success},
		{"callee canceled", Outcome{Err: bad, Code: CanceledCode}, Success},
	} {
		if got := Classify(tt.o); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestStatusRoundTrip: a refusal that travels as an HTTP status means the same to whoever reads it.
func TestStatusRoundTrip(t *testing.T) {
	for c := OK; c <= Unauthenticated; c++ {
		status := c.HTTPStatus()
		back := CodeOfHTTP(status)
		if back.HTTPStatus() != status {
			t.Errorf("%v: %d comes back as %v, %d", c, status, back, back.HTTPStatus())
		}
		there := Classify(Outcome{Code: c})
		if got := Classify(Outcome{Code: back}); got != there {
			t.Errorf("%v is %v, and %v after the way over HTTP", c, there, got)
		}
		if got := Classify(Outcome{Status: status}); got != there {
			t.Errorf("%v is %v, and its status %d is %v", c, there, status, got)
		}
	}
}

// TestEveryStatusHasACode that is in the same class.
func TestEveryStatusHasACode(t *testing.T) {
	for status := 100; status < 600; status++ {
		code := CodeOfHTTP(status)
		if (code == OK) != (status < 400) {
			t.Errorf("%d is %v", status, code)
		}
		if a, b := Classify(Outcome{Status: status}), Classify(Outcome{Code: code}); a != b {
			t.Errorf("%d is %v, its code %v is %v", status, a, code, b)
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		OK.String(): "OK", CanceledCode.String(): "CANCELLED", Unauthenticated.String(): "UNAUTHENTICATED", Code(17).String(): "CODE(17)",
		Success.String(): "success", Failure.String(): "failure", Busy.String(): "busy", Refused.String(): "refused", Canceled.String(): "canceled",
		HTTP.String(): "http", GRPC.String(): "grpc",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Code
	}{
		{nil, OK},
		{context.DeadlineExceeded, DeadlineExceeded},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), DeadlineExceeded},
		{fmt.Errorf("x: %w", context.Canceled), CanceledCode},
		{errors.New("x"), Unavailable},
	} {
		if got := CodeOf(tt.err); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{Service: "orders", Method: "GET", Endpoint: "a:80", Attempts: 2, Reason: Broken, Err: context.Canceled}
	if got, want := e.Error(), "intramesh: orders GET: broken at attempt 2 (a:80): context canceled"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if !errors.Is(e, context.Canceled) {
		t.Error("the cause is hidden")
	}
	e = &Error{Service: "orders", Reason: NoEndpoint, Rule: "r"}
	if got, want := e.Text("client"), "client: orders: no_endpoint under r"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
