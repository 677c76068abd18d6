package clientgrpc

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

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

// configFor is the service config, as JSON, under a policy.
func configFor(p resilience.Policy) string {
	c := serviceConfig{Balancing: []map[string]struct{}{{balancerName: {}}}}
	if r := p.Retry; r != nil {
		names, codes := streamsToRetry(r)
		if len(names) > 0 && len(codes) > 0 {
			c.Methods = []methodConfig{{Names: names, Retry: policyFor(r.Backoff, codes)}}
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain data
	}
	return string(b)
}

// policyFor words a back-off in grpc's terms: it waits for 0.8 to 1.2 times a value, where ours is between 0 and twice
// that value. The number of attempts is left to the picker, because grpc rewords the error when it stops by itself.
func policyFor(b resilience.Backoff, codes []string) retryPolicy {
	b = b.OrDefault()
	return retryPolicy{
		MaxAttempts: maxAttempts, Initial: seconds(b.Base / 2), Max: seconds(b.Max / 2), Multiplier: 2, Codes: codes,
	}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 9, 64) + "s" }

// streamsToRetry are the streaming methods that may be retried, and after which codes. With an explicit list of
// conditions it is every method and what the list says; else those that may be executed twice, and UNAVAILABLE.
func streamsToRetry(r *resilience.Retry) (names []methodName, codes []string) {
	codes = []string{"UNAVAILABLE"}
	if r.On != nil {
		codes = grpcCodes(r.On)
	}
	streaming(func(md protoreflect.MethodDescriptor) {
		if r.On != nil || r.Idempotent || idempotent(md) {
			names = append(names, methodName{string(md.Parent().FullName()), string(md.Name())})
		}
	})
	return names, codes
}

// grpcCodes are the codes that a list of conditions names.
func grpcCodes(on []string) []string {
	known := map[string]string{
		"cancelled": "CANCELLED", "deadline-exceeded": "DEADLINE_EXCEEDED", "internal": "INTERNAL",
		"resource-exhausted": "RESOURCE_EXHAUSTED", "unavailable": "UNAVAILABLE",
	}
	var codes []string
	for _, entry := range on {
		for token := range strings.SplitSeq(entry, ",") {
			if c, ok := known[strings.ToLower(strings.TrimSpace(token))]; ok {
				codes = append(codes, c)
				delete(known, strings.ToLower(strings.TrimSpace(token)))
			}
		}
	}
	return codes
}
