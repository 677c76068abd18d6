package client

import (
	"cmp"
	"net/http"

	"github.com/intramesh/intramesh/client/traffic"
)

// Request is what routes ask of the call.
func (x *exchange) Request() traffic.Request {
	u := x.req.URL
	return traffic.Request{
		Scheme: u.Scheme, Authority: cmp.Or(x.req.Host, u.Host),
		Path: asked{x}.path(), RawQuery: u.RawQuery,
		Method: cmp.Or(x.req.Method, http.MethodGet), Header: asked{x},
	}
}

// asked is a call as conditions look at it.
type asked struct{ *exchange }

// Lookup gives the first value of a header.
func (a asked) Lookup(_, canonical string) (string, bool) {
	if v := a.req.Header[canonical]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// path is the path as it travels.
func (a asked) path() string { return cmp.Or(a.req.URL.EscapedPath(), "/") }
