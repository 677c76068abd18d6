package resilience

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// condition is one bit for each token.
type condition uint32

const (
	on5xx condition = 1 << iota
	onGatewayError
	onReset
	onResetBeforeRequest
	onConnectFailure
	onRefusedStream
	onRetriable4xx
	onRateLimited
	onCancelled
	onDeadlineExceeded
	onInternal
	onResourceExhausted
	onUnavailable
)

var tokens = map[string]condition{
	"5xx":                  on5xx,
	"gateway-error":        onGatewayError,
	"reset":                onReset,
	"reset-before-request": onResetBeforeRequest,
	"connect-failure":      onConnectFailure,
	"refused-stream":       onRefusedStream,
	"retriable-4xx":        onRetriable4xx,
	"envoy-ratelimited":    onRateLimited,
	"cancelled":            onCancelled,
	"deadline-exceeded":    onDeadlineExceeded,
	"internal":             onInternal,
	"resource-exhausted":   onResourceExhausted,
	"unavailable":          onUnavailable,
}

// unsupported are tokens of Envoy that need a second list, which a Policy does not have.
var unsupported = map[string]string{
	"retriable-status-codes": "give the statuses themselves, such as \"503\"",
	"retriable-headers":      "the names of headers cannot be given here",
}

// Statuses that can be listed. What is below is not an answer yet.
const (
	minStatus = 200
	maxStatus = 599
)

// conditions is Retry.On, compiled. The zero value retries nothing.
type conditions struct {
	safe     bool // On was nil
	on       condition
	statuses [maxStatus/64 + 1]uint64
}

func (c *conditions) has(some condition) bool { return c.on&some != 0 }

func (c *conditions) hasStatus(status int) bool {
	return status >= minStatus && status <= maxStatus && c.statuses[status/64]&(1<<(status%64)) != 0
}

// parseConditions compiles the tokens of Retry.On. Case and the space around a token do not matter, and a token may be a
// list with commas: Istio's retryOn is one string.
func parseConditions(list []string) (conditions, error) {
	if list == nil {
		return conditions{safe: true}, nil
	}
	var c conditions
	for _, item := range list {
		for token := range strings.SplitSeq(item, ",") {
			if err := c.add(strings.ToLower(strings.TrimSpace(token))); err != nil {
				return conditions{}, err
			}
		}
	}
	if c == (conditions{}) {
		return c, errors.New("names no condition; leave it nil for what is safe, or leave Retry nil for no retries")
	}
	return c, nil
}

func (c *conditions) add(token string) error {
	if token == "" { // a trailing comma
		return nil
	}
	if on, ok := tokens[token]; ok {
		c.on |= on
		return nil
	}
	if why, ok := unsupported[token]; ok {
		return fmt.Errorf("%q cannot be honoured: %s", token, why)
	}
	if status, err := strconv.ParseUint(token, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return c.addStatus(token, status)
	}
	return fmt.Errorf("%.40q is not a condition; did you mean %q?", token, meant(token))
}

func (c *conditions) addStatus(token string, status uint64) error {
	if status < minStatus || status > maxStatus {
		return fmt.Errorf("%.40q is not an HTTP status from %d to %d", token, minStatus, maxStatus)
	}
	c.statuses[status/64] |= 1 << (status % 64)
	return nil
}
