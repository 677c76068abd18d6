package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// repeats finds retries of requests that may have been executed, of methods that are not idempotent. Only retries that are
// written down count, not those that Istio adds of itself.
func (l *linter) repeats() {
	for i := range l.state.Policy.Routes {
		r, at := &l.state.Policy.Routes[i], l.state.routes[i]
		field, said := retryField(at)
		if !said || r.Retry == nil || r.NoRetry || r.Retry.Retries < 0 || len(r.To) == 0 {
			continue
		}
		http, grpc := harmful(r.Retry.On)
		for j := range r.Match {
			m := &r.Match[j]
			if names := l.unsafeMethods(m.Method); http != "" && m.GRPC == nil && len(names) > 0 {
				l.find(at.Object, field, fmt.Sprintf("%s is repeated on %q: the request may have been executed, and is executed again",
					strings.Join(names, " or "), http), "")
			}
			if names := l.unsafeCalls(m); grpc != "" && len(names) > 0 {
				l.find(at.Object, field, fmt.Sprintf("%s is repeated on %q: its idempotency_level does not say that it may be executed twice",
					few(names), grpc), "")
			}
		}
	}
}

// harmful is the first condition on which a request is repeated that may have been executed, of HTTP and of gRPC. No
// conditions at all is the safe choice, which repeats idempotent requests alone.
func harmful(on []string) (http, grpc string) {
	for _, item := range on {
		for token := range strings.SplitSeq(strings.ToLower(item), ",") {
			token = strings.TrimSpace(token)
			switch token {
			case "5xx", "gateway-error", "reset":
				http, grpc = cmp.Or(http, token), cmp.Or(grpc, token)
			case "cancelled", "deadline-exceeded", "internal", "unavailable":
				grpc = cmp.Or(grpc, token)
			default:
				if n, is := number(token); is && n >= 500 {
					http = cmp.Or(http, token)
				}
			}
		}
	}
	return http, grpc
}

// few are the names, of more than three the number of the others.
func few(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// unsafeMethods are the methods of HTTP that are not idempotent (RFC 9110, 9.2.2; RFC 5789) and that a condition names.
func (l *linter) unsafeMethods(v traffic.Value) (names []string) {
	if v.Op == "" {
		return nil
	}
	for _, name := range []string{"POST", "PATCH"} {
		if l.conditions.holds(v, name) {
			names = append(names, name)
		}
	}
	return names
}

// unsafeCalls are the gRPC methods that a match names and that may not be executed twice.
func (l *linter) unsafeCalls(m *traffic.Match) (names []string) {
	if m.Path.Op == "" && (m.GRPC == nil || m.GRPC.Service.Op == "") || !l.conditions.holds(m.Method, "POST") {
		return nil
	}
	for _, x := range l.methods {
		if x.idempotent || !l.conditions.holds(m.Path, x.path()) {
			continue
		}
		if m.GRPC == nil || l.conditions.holds(m.GRPC.Service, x.service) && l.conditions.holds(m.GRPC.Method, x.method) {
			names = append(names, x.service+"/"+x.method)
		}
	}
	return slices.Compact(names)
}
