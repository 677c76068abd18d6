package clientgrpc

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/resilience"
)

// serviceConfig is the part of grpc's service config that the mesh gives a connection: its balancer, and a retryPolicy for
// streaming methods alone. A policy that covered unary methods too would retry beneath the fan-out.
// (https://github.com/grpc/grpc/blob/master/doc/service_config.md)
type serviceConfig struct {
	Balancing []map[string]struct{} `json:"loadBalancingConfig"`
	Methods   []methodConfig        `json:"methodConfig,omitempty"`
}

type methodConfig struct {
	Names []methodName `json:"name"`
	Retry retryPolicy  `json:"retryPolicy"`
}

type methodName struct {
	Service string `json:"service"`
	Method  string `json:"method"`
}

type retryPolicy struct {
	MaxAttempts int      `json:"maxAttempts"`
	Initial     string   `json:"initialBackoff"`
	Max         string   `json:"maxBackoff"`
	Multiplier  float64  `json:"backoffMultiplier"`
	Codes       []string `json:"retryableStatusCodes"`
}

// configFor is the service config, as JSON, for calls that may fall under any of these policies, and what it has grpc
// repeat. It speaks for all of them: which one a call is under, and so whether it may be repeated, is the picker's to say.
func configFor(retries []*resilience.Retry) (string, *emitted) {
	twice, once := unite(retries, true), unite(retries, false)
	c := serviceConfig{Balancing: []map[string]struct{}{{balancerName: {}}}}
	for _, part := range []struct {
		union
		idempotent bool
	}{{twice, true}, {once, false}} {
		if len(part.codes) == 0 {
			continue
		}
		if names := streamsThat(part.idempotent); len(names) > 0 {
			c.Methods = append(c.Methods, methodConfig{Names: names, Retry: part.policy()})
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain data
	}
	return string(b), &emitted{idempotent: twice.codes, other: once.codes}
}

// policy words a back-off in grpc's terms: it waits for 0.8 to 1.2 times a value, where ours is between 0 and twice that
// value. The number of attempts is left to the picker, because grpc rewords the error when it stops by itself.
func (u union) policy() retryPolicy {
	p := retryPolicy{MaxAttempts: maxAttempts, Initial: seconds(u.backoff.Base / 2), Max: seconds(u.backoff.Max / 2), Multiplier: 2}
	for _, c := range u.codes {
		p.Codes = append(p.Codes, c.String())
	}
	return p
}

// seconds words a time as protobuf's JSON does; grpc refuses 0.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(max(d, time.Nanosecond).Seconds(), 'f', 9, 64) + "s"
}

// streamsThat are the streaming methods that may be executed twice, or those that may not, by their proto.
func streamsThat(twice bool) (names []methodName) {
	streaming(func(md protoreflect.MethodDescriptor) {
		if idempotent(md) == twice {
			names = append(names, methodName{string(md.Parent().FullName()), string(md.Name())})
		}
	})
	slices.SortFunc(names, func(a, b methodName) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Method, b.Method))
	})
	return names
}

// repeatable are the codes after which a stream may be retried; none for one that may not. With an explicit list of
// conditions every method is retried after what the list says, else those that may be executed twice, after UNAVAILABLE.
func repeatable(r *resilience.Retry, idempotent bool) []call.Code {
	switch {
	case r == nil:
		return nil
	case r.On != nil:
		return grpcCodes(r.On)
	case r.Idempotent || idempotent:
		return []call.Code{call.Unavailable}
	}
	return nil
}

// grpcCodes are the codes that a list of conditions names, each once.
func grpcCodes(on []string) []call.Code {
	var codes []call.Code
	for _, entry := range on {
		for token := range strings.SplitSeq(entry, ",") {
			c, ok := namedCodes[strings.ToLower(strings.TrimSpace(token))]
			if ok && !slices.Contains(codes, c) {
				codes = append(codes, c)
			}
		}
	}
	return codes
}

var namedCodes = map[string]call.Code{
	"cancelled": call.CanceledCode, "deadline-exceeded": call.DeadlineExceeded, "internal": call.Internal,
	"resource-exhausted": call.ResourceExhausted, "unavailable": call.Unavailable,
}
