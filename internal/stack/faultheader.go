package stack

import (
	"math"
	"strconv"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/call"
)

// asking is a header by which a request asks for a fault, in both spellings.
type asking struct{ lower, canonical string }

// The headers of Envoy's fault filter.
var (
	askDelay       = asking{"x-envoy-fault-delay-request", "X-Envoy-Fault-Delay-Request"}
	askDelayShare  = asking{"x-envoy-fault-delay-request-percentage", "X-Envoy-Fault-Delay-Request-Percentage"}
	askAbort       = asking{"x-envoy-fault-abort-request", "X-Envoy-Fault-Abort-Request"}
	askAbortGRPC   = asking{"x-envoy-fault-abort-grpc-request", "X-Envoy-Fault-Abort-Grpc-Request"}
	askAbortShare  = asking{"x-envoy-fault-abort-request-percentage", "X-Envoy-Fault-Abort-Request-Percentage"}
	askPace        = asking{"x-envoy-fault-throughput-response", "X-Envoy-Fault-Throughput-Response"}
	askPaceShare   = asking{"x-envoy-fault-throughput-response-percentage", "X-Envoy-Fault-Throughput-Response-Percentage"}
	longestAskedMs = uint64(math.MaxInt64 / int64(time.Millisecond))
)

// number is the header's value. What is no number says nothing, as in Envoy: callers are not to be trusted.
func (a asking) number(q *traffic.Request, most uint64) (uint64, bool) {
	if q.Header == nil {
		return 0, false
	}
	v, ok := q.Header.Lookup(a.lower, a.canonical)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(v, 10, 64)
	return n, err == nil && n <= most
}

// share is the percentage that the header asks for, and at most that of the policy.
func (a asking) share(q *traffic.Request, most float64) float64 {
	if n, ok := a.number(q, math.MaxUint32); ok {
		return min(float64(n), most)
	}
	return most
}

// ask adds what the request asks for by its headers.
func (f *ills) ask(q *traffic.Request, list *[]ill, percent float64, rule string) {
	if ms, ok := askDelay.number(q, longestAskedMs); ok && ms > 0 {
		*list = append(*list, ill{percent: askDelayShare.share(q, percent), delay: time.Duration(ms) * time.Millisecond})
	}
	if a := askedAbort(q, rule); a != nil {
		*list = append(*list, ill{percent: askAbortShare.share(q, percent), abort: a})
	}
	if kib, ok := askPace.number(q, math.MaxInt64>>10); ok && kib > 0 {
		body := &traffic.BodyFault{BytesPerSecond: int64(kib) << 10}
		f.attempt = append(f.attempt, ill{percent: askPaceShare.share(q, percent), body: body})
	}
}

// askedAbort is the abort that the request asks for: that of HTTP where it asks for both.
func askedAbort(q *traffic.Request, rule string) *call.Answer {
	if status, ok := askAbort.number(q, 599); ok && status >= 200 {
		return aborted(int(status), codeOf(int(status)), rule)
	}
	code, ok := askAbortGRPC.number(q, math.MaxUint32)
	if !ok {
		return nil
	}
	if code == 0 {
		code = uint64(call.Unknown) // no call ends well without a message
	}
	return aborted(call.Code(code).HTTPStatus(), call.Code(code), rule)
}
