package traffic

import "time"

// Fault is a failure made on purpose. One of Delay, Abort, Body and FromHeaders says which.
//
// The faults of a route are drawn independently of each other, and all that are drawn act: first the delays, one after the
// other, then the first of the aborts, or on the answer of a server, which comes where there is none, what spoils its body.
// They act on requests that go to a destination, not on those that the route answers itself.
//
// What is injected is marked, so that nobody takes it for a failure: client.Error and client.Info have Faults, and telemetry
// has the attribute, the event and the metric of that name. The answers themselves have no mark but their text, "fault
// injected by route" and its name.
type Fault struct {
	// Percent is the share of the requests that get it, from 0 (none) to 100; with ScopeAttempt the share of the attempts.
	Percent float64 `json:"percent"`
	// Scope says whether it stands above retries or beneath. Empty: ScopeCall.
	Scope Scope `json:"scope,omitempty"`
	// Match narrows it to some of the route's requests. Empty: all.
	Match []Match `json:"match,omitempty"`

	// Delay holds the request back, for as long as the call, or the attempt, has time.
	Delay time.Duration `json:"delay,omitempty"`
	// Abort answers in the server's place.
	Abort *Abort `json:"abort,omitempty"`
	// Body spoils the response's body; over gRPC its messages. It is always a matter of the attempt.
	Body *BodyFault `json:"body,omitempty"`
	// FromHeaders lets a request ask for its own faults, by the headers that Envoy's fault filter reads, over gRPC metadata:
	//
	//	x-envoy-fault-delay-request        milliseconds; 0 is no delay
	//	x-envoy-fault-abort-request        HTTP status, 200 to 599
	//	x-envoy-fault-abort-grpc-request   gRPC code; only where there is no HTTP status
	//	x-envoy-fault-throughput-response  KiB a second, above 0; always a matter of the attempt
	//
	// x-envoy-fault-delay-request-percentage, x-envoy-fault-abort-request-percentage (for both aborts) and
	// x-envoy-fault-throughput-response-percentage are their shares, whole numbers. Percent is the most that they can ask
	// for, and what holds where they are missing. A value that is none of these is as if it were not there. The headers
	// stay in the request, as they do in Envoy.
	FromHeaders bool `json:"fromHeaders,omitempty"`
}

// Scope is where a fault stands.
type Scope string

// The scopes of faults.
const (
	// ScopeCall is above retries: the caller meets the fault, as with Istio. It is drawn once a call, is not retried, and
	// counts for no breaker, endpoint or budget.
	ScopeCall Scope = "call"
	// ScopeAttempt is beneath them, and drawn for each attempt: timeouts, retries, budgets, breakers and outlier detection
	// meet what an endpoint did that was slow, answered so, or broke off.
	ScopeAttempt Scope = "attempt"
)

// Abort is an answer that no server gave. Exactly one field is set; the other protocol gets what it stands for: over gRPC a
// status is the code of its class (503 is UNAVAILABLE, one below 400 UNKNOWN), over HTTP a code is the status that a server
// of the mesh refuses with (UNAVAILABLE is 503).
type Abort struct {
	Status int    `json:"status,omitempty"` // HTTP
	Code   string `json:"code,omitempty"`   // gRPC, as "UNAVAILABLE"
}

// BodyFault spoils a response's body. Exactly one field is set.
//
// Over gRPC bytes are those of messages without compression and framing, and a fault acts on whole messages. Messages that
// are not protobuf count as empty. A stream that is broken off is given up, and its server hears so.
type BodyFault struct {
	// Corrupt is the share of bytes that are changed, above 0 and at most 1. Over gRPC the call ends with INTERNAL at the
	// first message of which a byte would be changed, as it does where a message cannot be read.
	Corrupt float64 `json:"corrupt,omitempty"`
	// TruncateAfter ends the body after so many bytes as if it were whole where its length was not announced, and by
	// io.ErrUnexpectedEOF where it was. Over gRPC the call ends with INTERNAL at the first message that goes beyond, as it
	// does where a server breaks off in mid-message.
	TruncateAfter *int64 `json:"truncateAfter,omitempty"`
	// ResetAfter breaks the connection after so many bytes, unless a length was announced that is no greater: the reader
	// gets syscall.ECONNRESET. Over HTTP/1.1 the connection is closed; over HTTP/2, where others use it too, the stream is
	// reset. Over gRPC the call ends with UNAVAILABLE at the first message that goes beyond.
	ResetAfter *int64 `json:"resetAfter,omitempty"`
	// BytesPerSecond slows the body down. Over gRPC each message is held back for the time that it would take.
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
}

// Mirror is who gets copies of a route's requests: those that are sent, once each, however many attempts they take. What is
// refused, aborted or answered above the attempts has no copy.
//
// Copies are out of the way: a call neither waits for them nor fails by them. A copy has one attempt at an endpoint of its
// destination, where it counts as load while it lasts, and as nothing else: there are no retries, and no breaker, outlier
// detection, limit or budget hears of it. Neither the caller's deadline nor its leaving ends a copy; [MirrorLimits.Timeout]
// does, and the end of the client. Its answer is read, up to 64 KiB over HTTP, and forgotten.
//
// It is the request as the route has changed it, headers and path included, but for its authority, which has "-shadow"
// behind the name as in Envoy: "orders-shadow:8080". (That of an IPv6 address stays.) Over HTTP its body is what the call
// sends, taken on the way; it is sent with its length and without trailers. A request to upgrade the connection has no
// copy. Over gRPC messages must be protobuf; credentials that validate authorities must take the changed one. The copy of a
// stream gets its messages as they are sent, and is given up as dropped where it is more than 64 of them behind, where what
// it waits for does not fit, and where the stream ends before its last message; [MirrorLimits.Timeout] ends it, too.
//
// A copy is traced as a call beneath the one it is a copy of, marked by intramesh.mirror, and counted by
// intramesh.client.mirrors alone.
type Mirror struct {
	// Service, Subset and Port are as in [Backend].
	Service string `json:"service,omitempty"`
	Subset  string `json:"subset,omitempty"`
	Port    uint16 `json:"port,omitempty"`
	// Percent is the share of the requests that are copied, from 0 (none) to 100. Each is drawn by lot, independently of
	// the route's split and of other mirrors: of N requests the share is met to within a few times the square root of N.
	Percent float64 `json:"percent"`
}

// MirrorLimits bound the copies of a client that are under way. What is beyond them is dropped and counted.
type MirrorLimits struct {
	// Calls is how many may be under way. 0: 64.
	Calls int `json:"calls,omitempty"`
	// Bytes is how much of their bodies may be held, those of calls that are still being sent included. 0: 16 MiB.
	Bytes int64 `json:"bytes,omitempty"`
	// Timeout ends a copy. 0: 15 s.
	Timeout time.Duration `json:"timeout,omitempty"`
}
