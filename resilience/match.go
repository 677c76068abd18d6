package resilience

import "github.com/intramesh/intramesh/internal/call"

// match says whether the conditions want a further attempt after o.
//
// An answer that a rate limiter gave (x-envoy-ratelimited) is repeated only where the policy asks for that by name, as in
// Envoy: a limiter is there to lower the load.
func (c *conditions) match(p call.Protocol, idempotent bool, o call.Outcome) bool {
	switch {
	case o.RateLimited:
		return c.has(onRateLimited)
	case c.safe:
		return safe(p, idempotent, o)
	case p == call.GRPC:
		return c.matchCode(o.Code) || fromTheWay(o) && c.matchNoResponse(o)
	case o.Status != 0:
		return c.matchStatus(o.Status)
	}
	return o.Err != nil && c.matchNoResponse(o)
}

// safe is the meaning of a nil On: what was certainly not executed, and what may be executed again.
func safe(p call.Protocol, idempotent bool, o call.Outcome) bool {
	switch {
	case call.Classify(o) == call.Refused:
		return true
	case !idempotent:
		return false
	case o.Expired:
		return true
	case p == call.GRPC:
		return o.Code == call.Unavailable
	case o.Status == 0:
		return o.Err != nil
	}
	return gatewayError(o.Status)
}

func gatewayError(status int) bool { return status >= 502 && status <= 504 }

// fromTheWay is set where a gRPC status is known to come from this side and not from the peer. A connection that broke
// later is not told from a peer that says UNAVAILABLE: the token for both is "unavailable", as in grpc itself.
func fromTheWay(o call.Outcome) bool { return o.Sent == call.SentNo || o.Expired }

// matchStatus follows Envoy's router: 5xx is every status from 500 to 599, gateway-error is 502 to 504, and the only 4xx
// that is retriable is 409.
func (c *conditions) matchStatus(status int) bool {
	return c.has(on5xx) && status >= 500 && status <= 599 ||
		c.has(onGatewayError) && gatewayError(status) ||
		c.has(onRetriable4xx) && status == 409 ||
		c.hasStatus(status)
}

// matchNoResponse follows Envoy's router, too: 5xx, gateway-error and reset stand for every way to get no response, the
// end of an attempt's own timeout among them. connect-failure and reset-before-request both mean that the request was
// never written; refused-stream means that the peer's protocol handed it back.
func (c *conditions) matchNoResponse(o call.Outcome) bool {
	switch {
	case c.has(on5xx | onGatewayError | onReset):
		return true
	case o.Sent != call.SentNo:
		return false
	case o.RefusedStream:
		return c.has(onRefusedStream)
	}
	return c.has(onConnectFailure | onResetBeforeRequest)
}

func (c *conditions) matchCode(code call.Code) bool {
	switch code {
	case call.CanceledCode:
		return c.has(onCancelled)
	case call.DeadlineExceeded:
		return c.has(onDeadlineExceeded)
	case call.Internal:
		return c.has(onInternal)
	case call.ResourceExhausted:
		return c.has(onResourceExhausted)
	case call.Unavailable:
		return c.has(onUnavailable)
	}
	return false
}
