package resilience

import "errors"

// ErrShed says that a request was refused before any work was done, so that it is safe to send it elsewhere.
//
// A gRPC handler returns an error that wraps it to refuse in this way (package servergrpc marks the answer so); over HTTP
// server.Refuse does it. Only who refuses before work returns it: an error that came from another service never says so
// about this one.
var ErrShed = errors.New("resilience: refused before work")

// ErrOpen says that a call was refused here, without an attempt, because the destination's circuit breaker is open: see
// [Breaker]. It is no word of the destination, and never a reason to try the same again at once.
var ErrOpen = errors.New("resilience: circuit breaker is open")

// ErrLimited says that a call was refused here, without an attempt, because as much is under way to its destination as
// the policy permits: see [Limit].
var ErrLimited = errors.New("resilience: limit reached")
