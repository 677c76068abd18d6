package manifest

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
)

// usualRetries is what resilience.Retry has where it says nothing.
const usualRetries = 2

// attempts is how many attempts a route may make of a call. Where it says nothing of retries it is those of the destination,
// and 1 where that says nothing either: what the program itself configures is not known here.
func (l *linter) attempts(r *traffic.Route, of *traffic.Settings) int {
	retry := r.Retry
	if retry == nil && of != nil {
		retry = of.Resilience.Retry
	}
	if r.NoRetry || retry == nil {
		return 1
	}
	return 1 + cmp.Or(retry.Retries, usualRetries)
}

// retryField is where a route's resource says how it is repeated; has is false where it does not.
func retryField(at Origin) (field string, has bool) {
	field, _, _ = strings.Cut(strings.Replace(at.Field, ".matches[", ".match[", 1), ".match[")
	for _, name := range []string{".retries", ".retry"} {
		if at.Object != nil && at.Object.has(field+name) {
			return field + name, true
		}
	}
	return field, false
}

// tries finds retries for which the timeout leaves no time.
func (l *linter) tries() {
	for i := range l.state.Policy.Routes {
		r, at := &l.state.Policy.Routes[i], l.state.routes[i]
		field, said := retryField(at)
		if !said || r.Retry == nil || r.NoRetry || r.Timeout <= 0 || r.Retry.PerTry <= 0 {
			continue
		}
		tries := l.attempts(r, nil)
		whole := time.Duration(tries) * r.Retry.PerTry
		fit := int((r.Timeout + r.Retry.PerTry - 1) / r.Retry.PerTry)
		switch {
		case whole <= r.Timeout:
		case fit == 1:
			l.find(at.Object, field, fmt.Sprintf("a try may take %v, and the timeout is %v: one that hangs leaves no time for another",
				r.Retry.PerTry, r.Timeout), "")
		default:
			l.find(at.Object, field, fmt.Sprintf("%d tries of %v may take %v, and the timeout is %v: where each hangs, %d begin",
				tries, r.Retry.PerTry, whole, r.Timeout, fit), "")
		}
	}
}
