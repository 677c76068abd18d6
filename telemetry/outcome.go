package telemetry

import (
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/intramesh/intramesh/internal/call"
)

// outcome is how a call or request ended, as far as metrics tell it apart. All of its fields have few values.
type outcome struct {
	class  call.Class
	status int       // HTTP; 0 for none
	code   call.Code // gRPC
	reason string    // why the mesh refused, or a word for what is no status; empty for none
	route  string    // server side
	scheme string    // likewise
	peer   string
	sentTo string      // where a route sent it, if elsewhere
	faults call.Faults // that were injected on purpose

	answered bool // by a route, as its policy has it: the error that says so is none
}

// ofCall judges a call: by what the caller gets, which is the mesh's error or what the last attempt brought.
func ofCall(c *call.Call, last *call.Attempt, err error) outcome {
	o := outcome{peer: c.Peer, faults: c.Faults}
	if c.SentTo != nil {
		o.sentTo = *c.SentTo
	}
	if err == nil {
		if last != nil {
			o.class, o.status, o.code = call.Classify(last.Outcome), last.Outcome.Status, last.Outcome.Code
		}
		return o
	}
	o.code, o.reason = call.CodeOf(err), call.Broken
	if e, ok := errors.AsType[*call.Error](err); ok {
		if a := e.Answer; a != nil && c.Protocol == call.HTTP && (e.Reason == call.Responded || e.Reason == call.Redirected) {
			o.answered, o.status, o.reason = true, a.Status, ""
			o.class = call.Classify(call.Outcome{Status: a.Status})
			return o
		}
		o.code, o.reason = e.Code, e.Reason
	}
	switch {
	case o.code == call.CanceledCode && o.reason == call.CallerCanceled:
		o.class = call.Canceled
	case o.code == call.DeadlineExceeded, o.reason == call.Broken, o.reason == call.Idle:
		o.class = call.Failure
	default: // nothing was executed
		o.class = call.Refused
	}
	return o
}

// ofServed judges a request served.
func ofServed(s *call.Served) outcome {
	o := outcome{status: s.Status, code: s.Code, route: route(s.Route), scheme: s.Scheme, peer: s.Peer}
	switch {
	case s.Refused:
		o.class, o.reason = call.Refused, "refused"
		if e, ok := errors.AsType[*call.Error](s.Err); ok && e.Reason != "" {
			o.reason = e.Reason
		}
	case s.Panic != nil:
		o.class, o.reason = call.Failure, "panic"
	case s.Aborted:
		o.class, o.reason = call.Failure, "aborted"
	case s.Protocol == call.GRPC && s.Code == call.CanceledCode:
		o.class = call.Canceled
	default:
		o.class = call.Classify(call.Outcome{Status: s.Status, Code: s.Code})
	}
	return o
}

// errorType is the conventions' word for what went wrong; empty where nothing did. A server is not to blame for what its
// caller did wrong.
func (o *outcome) errorType(p call.Protocol, serving bool) string {
	switch {
	case o.reason != "":
		return o.reason
	case p == call.GRPC:
		if o.code != call.OK && (!serving || serverFault(o.code)) {
			return codeName(o.code)
		}
	case o.status >= 500, o.status >= 400 && !serving:
		return statusName(o.status)
	}
	return ""
}

// serverFault is the table of the conventions for gRPC servers.
func serverFault(c call.Code) bool {
	switch c {
	case call.Unknown, call.DeadlineExceeded, call.Unimplemented, call.Internal, call.Unavailable, call.DataLoss:
		return true
	}
	return c > call.Unauthenticated
}

// codeName and statusName bound what peers can make of a number.
func codeName(c call.Code) string {
	if c > call.Unauthenticated {
		return other
	}
	return c.String()
}

func statusName(status int) string {
	if status > 599 {
		return other
	}
	return strconv.Itoa(status)
}

// attributes are those of a metric or span.
func (o *outcome) attributes(p call.Protocol, serving bool) []attribute.KeyValue {
	kv := []attribute.KeyValue{keyOutcome.String(o.class.String())}
	if p == call.GRPC {
		kv = append(kv, keyRPCStatus.String(codeName(o.code)))
	} else if o.status >= 100 && o.status < 600 {
		kv = append(kv, keyHTTPStatus.Int(o.status))
	}
	add := func(k attribute.Key, v string) {
		if v != "" {
			kv = append(kv, k.String(v))
		}
	}
	add(keyErrorType, o.errorType(p, serving))
	add(keyHTTPRoute, o.route)
	add(keyURLScheme, o.scheme)
	add(keyPeer, o.peer)
	add(keySentTo, o.sentTo)
	add(keyFault, o.faults.String())
	return kv
}

// folded is the outcome without what can have many values, for when there are too many.
func (o *outcome) folded() outcome {
	f := *o
	for _, s := range [...]*string{&f.route, &f.peer, &f.sentTo} {
		if *s != "" {
			*s = other
		}
	}
	if f.status > 599 || f.status < 100 {
		f.status = 0
	}
	f.code = min(f.code, call.Unauthenticated+1)
	return f
}
