package traffic

import "time"

// Fault is a failure made on purpose. One of Delay, Abort, Body and FromHeaders says which.
type Fault struct {
	// Percent is the share of the requests that get it, from 0 (none) to 100.
	Percent float64 `json:"percent"`
	// Scope says whether it stands above retries or beneath. Empty: ScopeCall.
	Scope Scope `json:"scope,omitempty"`
	// Match narrows it to some of the route's requests. Empty: all.
	Match []Match `json:"match,omitempty"`

	// Delay holds the request back.
	Delay time.Duration `json:"delay,omitempty"`
	// Abort answers in the server's place.
	Abort *Abort `json:"abort,omitempty"`
	// Body spoils the response's body; over gRPC its messages. It is always a matter of the attempt.
	Body *BodyFault `json:"body,omitempty"`
	// FromHeaders lets a request ask for its own fault, by the headers that Envoy reads: x-envoy-fault-delay-request
	// (milliseconds), x-envoy-fault-abort-request (HTTP status), x-envoy-fault-abort-grpc-request (code),
	// x-envoy-fault-throughput-response (KiB a second), and the first three with "-percentage" behind. Percent is the most
	// that such a header can ask for.
	FromHeaders bool `json:"fromHeaders,omitempty"`
}

// Scope is where a fault stands.
type Scope string

// The scopes of faults.
const (
	// ScopeCall is above retries: the caller meets the fault, as with Istio.
	ScopeCall Scope = "call"
	// ScopeAttempt is beneath them: timeouts, retries, breakers and outlier detection meet it.
	ScopeAttempt Scope = "attempt"
)

// Abort is an answer that no server gave. Exactly one field is set; the other protocol gets what it stands for.
type Abort struct {
	Status int    `json:"status,omitempty"` // HTTP
	Code   string `json:"code,omitempty"`   // gRPC, as "UNAVAILABLE"
}

// BodyFault spoils a response's body. Exactly one field is set.
type BodyFault struct {
	// Corrupt is the share of bytes that are changed, above 0 and at most 1. Over gRPC the call ends with INTERNAL, as it
	// does where a message cannot be read.
	Corrupt float64 `json:"corrupt,omitempty"`
	// TruncateAfter ends the body after so many bytes as if it were whole where its length was not announced, and as one
	// that is cut off where it was.
	TruncateAfter *int64 `json:"truncateAfter,omitempty"`
	// ResetAfter breaks the connection after so many bytes.
	ResetAfter *int64 `json:"resetAfter,omitempty"`
	// BytesPerSecond slows the body down.
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
}

// Mirror is who gets copies of a route's requests. A copy is sent once, its authority has "-shadow" at its end as in
// Envoy, and its answer is read and forgotten.
type Mirror struct {
	// Service, Subset and Port are as in [Backend].
	Service string `json:"service,omitempty"`
	Subset  string `json:"subset,omitempty"`
	Port    uint16 `json:"port,omitempty"`
	// Percent is the share of the requests that are copied, from 0 (none) to 100.
	Percent float64 `json:"percent"`
}

// MirrorLimits bound the copies under way. What is beyond them is dropped and counted.
type MirrorLimits struct {
	// Calls is how many may be under way. 0: 64.
	Calls int `json:"calls,omitempty"`
	// Bytes is how much of their bodies may be held. 0: 16 MiB.
	Bytes int64 `json:"bytes,omitempty"`
	// Timeout ends a copy. 0: 15 s.
	Timeout time.Duration `json:"timeout,omitempty"`
}
