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

// rewritePath gives a URL of the call's own the path that its route says. It was escaped when the route looked at it, and is now.
func (x *exchange) rewritePath(u *url.URL) error {
	r := x.Rule()
	if r == nil || r.Route.Rewrite == nil {
		return nil
	}
	old := asked{x}.path()
	path := r.RewritePath(old)
	if path == old {
		return nil
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return err
	}
	u.Path, u.RawPath, u.Opaque = plain, "", ""
	if u.EscapedPath() != path {
		u.RawPath = path
	}
	return nil
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
	if ops := x.ResponseHeaders(); len(ops) > 0 {
		if resp.Header == nil {
			resp.Header = make(http.Header)
		}
		change(resp.Header, ops)
	}
	for _, c := range x.NewCookies() {
		resp.Header.Add("Set-Cookie", c)
	}
}
