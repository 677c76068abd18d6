package client

import (
	"cmp"
	"net/http"
	"strings"

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

// Lookup gives the first value of a header. Cookies may come in several, which are one list (RFC 9113, 8.2.3).
func (a asked) Lookup(_, canonical string) (string, bool) {
	v := a.req.Header[canonical]
	switch {
	case len(v) == 0:
		return "", false
	case len(v) > 1 && canonical == "Cookie":
		return strings.Join(v, "; "), true
	}
	return v[0], true
}

// path is the path as it travels, which is in Opaque where that is given.
func (a asked) path() string {
	u := a.req.URL
	if u.Opaque == "" {
		return cmp.Or(u.EscapedPath(), "/")
	}
	path, _, _ := strings.Cut(u.Opaque, "?")
	if rest, ok := strings.CutPrefix(path, "//"); ok { // with the host before it
		_, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	return path
}
