package manifest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/intramesh/intramesh/resilience"
)

// mostRetries is the most retries that the mesh makes.
const mostRetries = 10

// defaultRetry is Istio's policy for hosts of which nothing else is said: two retries on what was not executed, without a
// limit for each attempt. (Istio names retriable-status-codes as well, with an empty list of them.)
func defaultRetry() *resilience.Retry {
	return &resilience.Retry{
		Retries: 2, On: []string{"connect-failure", "refused-stream", "unavailable", "cancelled"}, PerTry: -1,
	}
}

// retry is the retry policy of a route; none where it says that there are none.
func (x *istio) retry(r *httpRoute) (retry *resilience.Retry, none bool) {
	p := r.GetRetries()
	if p == nil {
		return defaultRetry(), false
	}
	if p.GetAttempts() <= 0 {
		return nil, true
	}
	retry = defaultRetry()
	retry.Retries = min(int(p.GetAttempts()), mostRetries)
	if p.GetRetryOn() != "" {
		if retry.On = tokens(p.GetRetryOn()); len(retry.On) == 0 {
			return nil, true
		}
	}
	if t := p.GetPerTryTimeout(); t != nil {
		retry.PerTry = t.AsDuration()
	}
	if b := p.GetBackoff(); b != nil {
		retry.Backoff = resilience.Backoff{Base: b.AsDuration(), Max: 10 * b.AsDuration()}
	}
	return retry, false
}

// retryTokens are Istio's, and whether they have an effect: statuses are listed themselves, names of headers cannot be given
// anywhere in Istio, and there is no HTTP/3.
var retryTokens = map[string]bool{
	"5xx": true, "gateway-error": true, "reset": true, "reset-before-request": true, "connect-failure": true,
	"refused-stream": true, "retriable-4xx": true, "envoy-ratelimited": true, "cancelled": true, "deadline-exceeded": true,
	"internal": true, "resource-exhausted": true, "unavailable": true,
	"retriable-status-codes": false, "retriable-headers": false, "http3-post-connect-failure": false,
}

// tokens are those that have an effect.
func tokens(list string) (on []string) {
	for token := range strings.SplitSeq(list, ",") {
		token = strings.TrimSpace(token)
		if (retryTokens[token] || isRetryStatus(token)) && !slices.Contains(on, token) {
			on = append(on, token)
		}
	}
	return on
}

// isRetryStatus reports whether it is a status, of which Istio takes those that have a name.
func isRetryStatus(token string) bool {
	n, err := strconv.Atoi(token)
	return err == nil && n >= 200 && http.StatusText(n) != ""
}

// checkRetries holds Istio's rules for retries, and finds what cannot be honoured.
func (x *istio) checkRetries(o *Object, at string, p *networking.HTTPRetry) {
	if p == nil {
		return
	}
	switch n := p.GetAttempts(); {
	case n < 0:
		x.wrong(o, at+".attempts", "%d: must not be negative", n)
	case n > mostRetries:
		x.refuse(o, at+".attempts", "%d: at most %d retries are made", n, mostRetries)
	case n == 0 && (p.GetPerTryTimeout() != nil || p.GetRetryOn() != "" || p.GetRetryRemoteLocalities() != nil):
		x.wrong(o, at, "says how to retry, and attempts is 0 or not given, which switches retries off")
	case n == 0 && p.GetBackoff() != nil:
		x.warn(o, at+".backoff", "has no effect: attempts is 0 or not given, which switches retries off")
	}
	x.checkDuration(o, at+".perTryTimeout", p.GetPerTryTimeout())
	x.checkDuration(o, at+".backoff", p.GetBackoff())
	x.checkRetryOn(o, at+".retryOn", p.GetRetryOn())
	if p.GetRetryRemoteLocalities().GetValue() {
		x.refuse(o, at+".retryRemoteLocalities", "a retry goes where a first attempt would, to another endpoint")
	}
	if b := p.GetRetryIgnorePreviousHosts(); b != nil && !b.GetValue() {
		x.refuse(o, at+".retryIgnorePreviousHosts", "endpoints that were tried are avoided while there are others")
	}
}

func (x *istio) checkRetryOn(o *Object, at, list string) {
	if list == "" {
		return
	}
	wrong := false
	for token := range strings.SplitSeq(list, ",") {
		token = strings.TrimSpace(token)
		acts, known := retryTokens[token]
		if acts || isRetryStatus(token) {
			continue
		}
		switch {
		case !known:
			names := make([]string, 0, len(retryTokens))
			for name := range retryTokens {
				names = append(names, name)
			}
			x.unknown(o, at, "condition", token, names)
			wrong = true
		case token != "retriable-status-codes" || !slices.ContainsFunc(tokens(list), isRetryStatus):
			x.warn(o, at, "%s has no effect: %s", token, noEffect[token])
		}
	}
	if len(tokens(list)) == 0 && !wrong {
		x.warn(o, at, "names nothing that has an effect, so that nothing is retried")
	}
}

var noEffect = map[string]string{
	"retriable-status-codes":     "no status is listed beside it, such as 503",
	"retriable-headers":          "Istio has no place for the names of headers",
	"http3-post-connect-failure": "there is no HTTP/3",
}
