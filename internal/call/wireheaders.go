package call

// The headers of the wire contract, in lower case as gRPC metadata has them; HTTP canonicalises them. All are in use
// elsewhere: the mesh has no header of its own.
const (
	// HeaderDeadline carries an HTTP call's remaining time in milliseconds (Envoy).
	HeaderDeadline = "x-envoy-expected-rq-timeout-ms"
	// HeaderConnectDeadline is the same in the Connect protocol, in milliseconds; honoured, never sent.
	HeaderConnectDeadline = "connect-timeout-ms"
	// HeaderGRPCDeadline is the same in gRPC, a number and a unit; honoured over HTTP, sent by grpc itself.
	HeaderGRPCDeadline = "grpc-timeout"
	// HeaderAttempt carries the attempt's number over HTTP, from the second on (Envoy).
	HeaderAttempt = "x-envoy-attempt-count"
	// HeaderPreviousAttempts carries the number of attempts before this one over gRPC (gRFC A6).
	HeaderPreviousAttempts = "grpc-previous-rpc-attempts"
	// HeaderOverloaded marks a 429 or 503, or a trailers-only gRPC status, as refused before work (Envoy).
	HeaderOverloaded = "x-envoy-overloaded"
	// HeaderRateLimited marks an answer that a rate limiter on the way gave (Envoy).
	HeaderRateLimited = "x-envoy-ratelimited"
	// HeaderTraceParent and HeaderTraceState carry a trace (W3C Trace Context), HeaderBaggage what travels with it (W3C
	// Baggage).
	HeaderTraceParent = "traceparent"
	HeaderTraceState  = "tracestate"
	HeaderBaggage     = "baggage"
	// HeaderPushback is gRPC's advice for the next attempt, in milliseconds (gRFC A6).
	HeaderPushback = "grpc-retry-pushback-ms"
	// HeaderRetryAfter is HTTP's, in seconds or as a date (RFC 9110, 10.2.3).
	HeaderRetryAfter = "retry-after"
)
