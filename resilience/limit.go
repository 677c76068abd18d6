package resilience

// Defaults of [Limit]: the numbers of calls that may wait are Envoy's.
const defaultPending = 1024

// Limit bounds what may be under way to a destination at the same time, as the circuit breaking of Envoy and the
// connectionPool of Istio do. A part that is 0 bounds nothing (Envoy's own default is 1024 for all but retries, and 3 for
// those). Whoever may not begin is refused with [ErrLimited], without an attempt; the limits say nothing of who waits
// elsewhere.
//
// A call holds its place from when it is let in until its body or stream is over, the waits between its attempts included.
// (In Envoy a request that waits for its next attempt holds none.) Calls that began before the limits came into force hold
// none and are not counted. A change of policy forgets nobody who is.
type Limit struct {
	// Connections bounds the calls over HTTP/1.1, each of which has a connection to itself, and so the connections in use;
	// idle ones do not count. Further calls wait, in the order in which they came, until one is over. Over HTTP/2 and gRPC
	// all calls to an endpoint share a connection, so nobody waits (Envoy, too, always permits one connection an endpoint).
	//
	// Which it will be is known from the answers: a destination is taken to speak HTTP/1.1 until one has come over HTTP/2,
	// and again from the next one over HTTP/1.1 on. Of one whose endpoints differ in this, the calls in between are not
	// bounded. Istio: tcp.maxConnections. [Do] knows no connections.
	Connections int
	// Pending is how many calls may wait for one of the Connections; without those nobody has to. A call waits for as long
	// as it has time; one more than may wait is refused. 0: 1024, as in Envoy; negative: none waits. Istio:
	// http.http1MaxPendingRequests. (Envoy counts here also those for whom a connection is being made. They have it to
	// themselves here, and are calls under way.)
	Pending int
	// Requests bounds the calls under way, over any protocol. Istio: http.http2MaxRequests, which despite its name holds
	// for both versions.
	Requests int
	// Retries bounds the retries under way: those that wait for their turn, and those that are not over. It comes beside
	// Retry.Retries and Budget, and all must permit a retry. Negative: none. Istio: http.maxRetries.
	Retries int
}

// OrDefault is the limit with its defaults in the place of zeros that stand for one. Pending is 0 where nobody may wait.
func (l Limit) OrDefault() Limit {
	l.Pending = orOff(l.Pending, defaultPending)
	return l
}

func (l *Limit) validate(bad func(field string, value any, why string)) {
	const most = 1 << 30
	if l.Connections < 0 || l.Connections > most {
		bad("Limit.Connections", l.Connections, "must be 0 (for no limit) to 1073741824")
	}
	if l.Pending > most {
		bad("Limit.Pending", l.Pending, "must be at most 1073741824")
	}
	if l.Requests < 0 || l.Requests > most {
		bad("Limit.Requests", l.Requests, "must be 0 (for no limit) to 1073741824")
	}
	if l.Retries > most {
		bad("Limit.Retries", l.Retries, "must be at most 1073741824")
	}
}
