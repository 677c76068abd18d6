package client

import (
	"context"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/httpwire"
	"github.com/intramesh/intramesh/internal/stack"
)

// outgoing is the attempt's own request. The caller's is never changed.
func (x *exchange) outgoing(ctx context.Context, a *stack.Attempt) (*http.Request, error) {
	out := x.req.WithContext(ctx)
	x.address(out, a)
	ops := x.RequestHeaders()
	if len(a.Fields)+len(ops) > 0 {
		out.Header = maps.Clone(out.Header)
		change(out.Header, ops)
		for i, f := range a.Fields {
			out.Header[headerName(f.Name)] = x.value(a, i)
		}
	}
	return out, x.attachBody(out, a)
}

// address gives the attempt's request the URL and the host that its server is to see.
func (x *exchange) address(out *http.Request, a *stack.Attempt) {
	scheme, rewrite := x.scheme(a), x.rewrite()
	if rewrite != nil && rewrite.Authority != "" {
		out.Host = rewrite.Authority
	}
	if scheme == out.URL.Scheme && rewrite == nil {
		return
	}
	if x.url.Scheme == "" { // the first attempt that is sent
		x.url = *out.URL
		x.url.Scheme = scheme
		x.rewritePath(&x.url)
	}
	out.URL = &x.url
	if scheme != x.url.Scheme { // the policy has changed between two attempts
		u := x.url
		u.Scheme, out.URL = scheme, &u
	}
}

// scheme is that of the URL as the endpoint's transport gets it.
func (x *exchange) scheme(a *stack.Attempt) string {
	if tls := x.transport.tls; a.Node != nil && tls != nil {
		if s := httpwire.Scheme(tls.Mode(a.Node.Settings().TLS)); s != "" {
			return s
		}
	}
	if x.req.URL.Scheme == "mesh" {
		return "http"
	}
	return x.req.URL.Scheme
}

// value is the value of a field as a header has it. That of the first attempt, which is mostly the only one, has its room
// in the exchange; later ones must not overwrite what a transport may still be reading.
func (x *exchange) value(a *stack.Attempt, i int) []string {
	if a.Number > 1 || i >= len(x.values) {
		return []string{a.Fields[i].Value}
	}
	x.values[i] = a.Fields[i].Value
	return x.values[i : i+1 : i+1]
}

// The headers of the call path as net/http spells them.
var (
	deadlineHeader = textproto.CanonicalMIMEHeaderKey(call.HeaderDeadline)
	attemptHeader  = textproto.CanonicalMIMEHeaderKey(call.HeaderAttempt)
	parentHeader   = textproto.CanonicalMIMEHeaderKey(call.HeaderTraceParent)
)

func headerName(name string) string {
	switch name {
	case call.HeaderDeadline:
		return deadlineHeader
	case call.HeaderAttempt:
		return attemptHeader
	case call.HeaderTraceParent:
		return parentHeader
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// Describe tells what spans say of the request. Credentials in the URL stay out of it.
func (x *exchange) Describe() call.Detail {
	u := *x.req.URL
	if u.User != nil {
		u.User = url.UserPassword("REDACTED", "REDACTED")
	}
	return call.Detail{URL: u.String()}
}
