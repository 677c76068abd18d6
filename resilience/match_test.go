package resilience

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/internal/call"
)

var errBroken = errors.New("connection reset by peer")

// ends are the ways an attempt can end; "h " is HTTP, "g " is gRPC.
var ends = map[string]call.Outcome{
	"h 200":         {Status: 200},
	"h 404":         {Status: 404, Code: call.NotFound},
	"h 409":         {Status: 409, Code: call.Aborted},
	"h 429":         {Status: 429, Code: call.ResourceExhausted},
	"h 429 limiter": {Status: 429, Code: call.ResourceExhausted, RateLimited: true},
	"h 499":         {Status: 499, Code: call.CanceledCode},
	"h 500":         {Status: 500, Code: call.Internal},
	"h 501":         {Status: 501, Code: call.Unimplemented},
	"h 502":         {Status: 502, Code: call.Unavailable},
	"h 503":         {Status: 503, Code: call.Unavailable},
	"h 503 shed":    {Status: 503, Code: call.Unavailable, Overloaded: true},
	"h 503 limiter": {Status: 503, Code: call.Unavailable, RateLimited: true},
	"h 504":         {Status: 504, Code: call.DeadlineExceeded},
	"h 505":         {Status: 505, Code: call.Internal},
	"h 599":         {Status: 599, Code: call.Internal},
	"h broken":      {Err: errBroken, Code: call.Unavailable},
	"h unwritten":   {Err: errBroken, Code: call.Unavailable, Sent: call.SentNo},
	"h handed back": {Err: errBroken, Code: call.Unavailable, Sent: call.SentNo, RefusedStream: true},
	"h expired":     {Err: context.DeadlineExceeded, Code: call.DeadlineExceeded, Expired: true},

	"g ok":          {},
	"g cancelled":   {Err: errBroken, Code: call.CanceledCode},
	"g unknown":     {Err: errBroken, Code: call.Unknown},
	"g late":        {Err: errBroken, Code: call.DeadlineExceeded},
	"g exhausted":   {Err: errBroken, Code: call.ResourceExhausted},
	"g shed":        {Err: errBroken, Code: call.ResourceExhausted, Overloaded: true},
	"g limiter":     {Err: errBroken, Code: call.Unavailable, RateLimited: true},
	"g internal":    {Err: errBroken, Code: call.Internal},
	"g unavailable": {Err: errBroken, Code: call.Unavailable},
	"g unsent":      {Err: errBroken, Code: call.Unavailable, Sent: call.SentNo},
	"g handed back": {Err: errBroken, Code: call.Unavailable, Sent: call.SentNo, RefusedStream: true},
	"g expired":     {Err: errBroken, Code: call.DeadlineExceeded, Expired: true},
}

const noResponse = "h broken, h unwritten, h handed back, h expired, g unsent, g handed back, g expired, "

// Every token against every end.
func TestMatch(t *testing.T) {
	const refused = "h unwritten, h handed back, h 503 shed, g unsent, g handed back, g shed"
	for token, want := range map[string]string{
		"5xx":                   noResponse + "h 500, h 501, h 502, h 503, h 503 shed, h 504, h 505, h 599",
		"gateway-error":         noResponse + "h 502, h 503, h 503 shed, h 504",
		"reset":                 noResponse,
		"reset-before-request":  "h unwritten, g unsent",
		"connect-failure":       "h unwritten, g unsent",
		"refused-stream":        "h handed back, g handed back",
		"retriable-4xx":         "h 409",
		"envoy-ratelimited":     "h 429 limiter, h 503 limiter, g limiter",
		"503":                   "h 503, h 503 shed",
		"429":                   "h 429",
		"200":                   "h 200",
		"cancelled":             "g cancelled",
		"deadline-exceeded":     "g late, g expired",
		"internal":              "g internal",
		"resource-exhausted":    "g exhausted, g shed",
		"unavailable":           "g unavailable, g unsent, g handed back",
		"500,503":               "h 500, h 503, h 503 shed",
		"envoy-ratelimited,503": "h 429 limiter, h 503 limiter, g limiter, h 503, h 503 shed",
		"safe":                  refused,
		"safe, idempotent":      refused + ", h 502, h 503, h 504, h broken, h expired, g unavailable, g expired",
	} {
		c, err := conditions{safe: true}, error(nil)
		if !strings.HasPrefix(token, "safe") {
			c, err = parseConditions([]string{token})
		}
		if err != nil {
			t.Fatal(err)
		}
		set := strings.Split(strings.TrimSuffix(want, ", "), ", ")
		for _, end := range slices.Sorted(maps.Keys(ends)) {
			protocol := call.HTTP
			if strings.HasPrefix(end, "g ") {
				protocol = call.GRPC
			}
			idempotent := strings.HasSuffix(token, "idempotent")
			if got := c.match(protocol, idempotent, ends[end]); got != slices.Contains(set, end) {
				t.Errorf("%s after %s: again = %v", token, end, got)
			}
		}
		for _, end := range set {
			if _, ok := ends[end]; !ok {
				t.Errorf("%s: the table has no end %q", token, end)
			}
		}
	}
}

// An explicit list does not ask whether the request is idempotent.
func TestMatchAsWritten(t *testing.T) {
	for token := range tokens {
		c, _ := parseConditions([]string{token})
		for end, o := range ends {
			for _, p := range []call.Protocol{call.HTTP, call.GRPC} {
				if c.match(p, false, o) != c.match(p, true, o) {
					t.Errorf("%s after %s: depends on whether the request is idempotent", token, end)
				}
			}
		}
	}
}

func TestEveryTokenIsInTheTable(t *testing.T) {
	for token := range tokens {
		c, _ := parseConditions([]string{token})
		var hits int
		for end, o := range ends {
			if c.match(map[bool]call.Protocol{true: call.GRPC}[end[0] == 'g'], false, o) {
				hits++
			}
		}
		if hits == 0 {
			t.Errorf("%s: never matches", token)
		}
	}
}
