package matrix

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
)

// givesUp: a peer that is silent is given up after a second until the reply, or after a minute of silence on a stream. One
// that is slow is given up where it is the reply that comes late, and not where it is a body or a message of a stream.
func givesUp(k cell, want, got *exchange) {
	if k.column.isGRPC() && !k.column.streaming && !k.scenario.deadline {
		// The limit of a unary call is its deadline, which grpc sends along.
		want.each(func(s *sight) { s.Left = time.Second })
		want.eachAttempt(func(a *attempt) { a.Left = time.Second })
	}
	late := k.scenario.mode == slow && k.column.isGRPC() && !k.column.streaming
	if late {
		want.GaveUp, want.Arrived[0].Body = 1, nil
	}
	if k.scenario.mode != silent && !late {
		return
	}
	took := time.Second
	if k.column.isGRPC() && k.column.streaming {
		took = time.Minute
	}
	if !k.column.isGRPC() && k.column.streaming {
		// Whether the body's own time counts is not a matter of this test.
		took = max(took, min(got.Answers[0].Took, took+patience*time.Duration(len(words))))
	}
	k.endsAfter(took, want, got)
}

// endsAfter is the answer of a call whose time is over. How grpc or the mesh words that is not compared.
func (k cell) endsAfter(took time.Duration, want, got *exchange) {
	want.Answers = []answer{{Took: took}}
	if k.column.isGRPC() {
		// Or whether the peer's word for it was there first.
		a := got.Answers[0]
		want.Answers[0] = answer{Took: took, Code: codes.DeadlineExceeded, Message: a.Message, Trailer: a.Trailer}
		return
	}
	want.Answers[0].Err = "deadline"
}

// hasTime: the call has an hour, as if its caller's context had said so.
func hasTime(k cell, want, got *exchange) {
	if !k.column.isGRPC() {
		want.each(func(s *sight) { s.Header[deadlineHeader] = []string{"3600000"} })
	} else {
		want.each(func(s *sight) { s.Left = callersDeadline })
	}
	want.eachAttempt(func(a *attempt) { a.Left = callersDeadline })
	if k.scenario.mode == silent {
		k.endsAfter(callersDeadline, want, got)
	}
}

// repeats: what was refused or broken off is answered at the second attempt, which says that it is one.
func repeats(k cell, want, got *exchange) {
	if k.scenario.mode != refusesOnce && k.scenario.mode != breaksOnce {
		return
	}
	if k.column.isGRPC() && k.column.streaming && k.wiring.name == direct.name {
		return // only grpc can replay a stream, by a retryPolicy, and here the service config is the caller's own
	}
	first := want.Arrived[0]
	*want = k.plain(scenario{mode: answers, calls: 1})
	second := want.Arrived[0]
	second.Header = maps.Clone(second.Header)
	if k.column.isGRPC() {
		second.Header[grpcAttemptHeader] = []string{"1"}
	} else {
		second.Header[attemptHeader] = []string{"2"}
	}
	want.Arrived = []sight{first, second}
	want.repeated(k, got)
}

// repeated is what else comes of a second attempt.
func (x *exchange) repeated(k cell, got *exchange) {
	x.takes(k.retryTime(), got)
	if k.scenario.mode == breaksOnce || k.column.wire == h1 && k.column.streaming {
		x.reconnects() // HTTP/1.1 cannot use a connection again on which a body was not finished
	}
	if !k.column.isGRPC() || !k.column.streaming {
		x.Attempts = slices.Repeat(x.Attempts, 2) // grpc repeats streams beneath all interceptors
	}
}

// retryTime is the longest that a first back-off may take, which is random.
func (k cell) retryTime() time.Duration {
	longest := 50 * time.Millisecond
	if k.column.streaming && !k.column.isGRPC() {
		longest += patience + lettingGo // until the first attempt has let go of the body and of its connection
	}
	return longest
}

// takes lets the answer be late by up to longest.
func (x *exchange) takes(longest time.Duration, got *exchange) {
	if took := got.Answers[0].Took; took >= 0 && took <= longest {
		x.Answers[0].Took = took
	}
}

// vetoed: nothing is repeated, although a Retry is there. What that costs is time: grpc asks only after the back-off whether
// a stream may be repeated, and a body that might have been sent again is let go of late.
func vetoed(k cell, want, got *exchange) {
	if k.column.streaming && (k.scenario.mode == refusesOnce || k.scenario.mode == breaksOnce) {
		want.takes(k.retryTime(), got)
	}
}

func (x *exchange) reconnects() { x.Conns, x.Dialed = 2, 2 }

// dialsEndpoints: Config.Dial opens every connection to an endpoint, and to nothing else.
func dialsEndpoints(k cell, want, _ *exchange) {
	if k.hasSource() {
		want.Dialed, want.Called = 0, want.Dialed
	}
}

// seesAttempts: WrapAttempt sees every attempt over HTTP.
func seesAttempts(k cell, want, _ *exchange) {
	if !k.column.isGRPC() {
		want.Called = len(want.Arrived)
	}
}

// recovers: a handler's panic is logged and answered, whatever the config says. In a plain server it would end the
// connection (net/http) or the process (grpc-go), so there is no unwrapped pair to compare with.
func recovers(k cell, want, got *exchange) {
	if k.scenario.mode != panics {
		return
	}
	want.Logs = []string{"ERROR intramesh: handler panicked"}
	a := &want.Answers[0]
	if k.column.isGRPC() {
		a.Code, a.Message, a.Details = codes.Internal, "internal error", nil
		a.Trailer = map[string][]string{"content-type": {"application/grpc"}}
		return
	}
	a.Status, a.Body, a.Length, a.Took = 500, []string{"internal error"}, 15, min(got.Answers[0].Took, lettingGo)
	a.Header["Content-Length"] = []string{"15"}
	delete(a.Header, "X-Peer")
}

// lettingGo is how long an HTTP/1.1 transport of net/http waits for a body that is still being sent when the answer is there.
const lettingGo = 50 * time.Millisecond

func (x *exchange) eachAttempt(f func(*attempt)) {
	for i := range x.Attempts {
		f(&x.Attempts[i])
	}
}
