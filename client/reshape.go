package client

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/intramesh/intramesh/client/traffic"
)

// rewrite is what the call's route changes of its target; nil for nothing.
func (x *exchange) rewrite() *traffic.Rewrite {
	if r := x.Rule(); r != nil {
		return r.Route.Rewrite
	}
	return nil
}

// rewritePath gives a URL of the call's own the path that its route says. It was escaped when the route looked at it, and is
// now. Where what was replaced leaves half of an escape behind, its "%" is one that is meant: nobody is to be blamed for what
// a path has in it. A CONNECT names no path.
func (x *exchange) rewritePath(u *url.URL) {
	r := x.Rule()
	if r == nil || r.Route.Rewrite == nil || x.req.Method == http.MethodConnect {
		return
	}
	old := asked{x}.path()
	path := r.RewritePath(old)
	if path == old {
		return
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		plain = path
	}
	u.Path, u.RawPath, u.Opaque = plain, "", ""
	if u.EscapedPath() != path {
		u.RawPath = path // which counts only if it is the escaped form of Path
	}
}

// change makes the changes of headers in their order. Lists of values may be shared with others and are not appended to.
func change(h http.Header, ops []traffic.HeaderOp) {
	for _, op := range ops {
		switch op.Kind {
		case traffic.HeaderRemove:
			delete(h, op.Canonical)
		case traffic.HeaderSet:
			h[op.Canonical] = []string{op.Value}
		case traffic.HeaderAdd:
			h[op.Canonical] = append(slices.Clip(h[op.Canonical]), op.Value)
		}
	}
}

// reshape makes the changes that the route asks for in the response.
func (x *exchange) reshape(resp *http.Response) {
	ops, cookies := x.ResponseHeaders(), x.NewCookies()
	if resp.Header == nil && len(ops)+len(cookies) > 0 {
		resp.Header = make(http.Header)
	}
	change(resp.Header, ops)
	for _, c := range cookies {
		resp.Header.Add("Set-Cookie", c)
	}
}
