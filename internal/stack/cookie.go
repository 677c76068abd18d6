package stack

import (
	"crypto/rand"
	"net/http"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
)

// cookies are those that the mesh makes for a call, so that the caller's next one goes the same way.
type cookies struct {
	value string
	kinds []*traffic.Cookie
}

// bake makes the cookie that k goes by, where the request has none and the policy has one made.
func (c *Call) bake(k *traffic.Key, q *traffic.Request) {
	if k == nil || k.Cookie == nil || k.Cookie.TTL == 0 || q.GRPC {
		return
	}
	had := q.NewCookie
	q.NewCookie = ""
	_, has := k.Hash(q)
	q.NewCookie = had
	if has {
		return
	}
	odd := c.becomesOdd()
	if odd.cookies == nil {
		odd.cookies = &cookies{value: rand.Text()}
	}
	q.NewCookie = odd.cookies.value
	odd.cookies.kinds = append(odd.cookies.kinds, k.Cookie)
}

// NewCookies are the Set-Cookie headers of the cookies that were made for the call.
func (c *Call) NewCookies() (lines []string) {
	made := c.oddity().cookies
	if made == nil {
		return nil
	}
	seen := make(map[string]bool)
	for _, k := range made.kinds {
		if seen[k.Name] {
			continue
		}
		seen[k.Name] = true
		//nolint:gosec // it is no secret, and the caller, who sends it, is no browser
		h := http.Cookie{Name: k.Name, Value: made.value, Path: k.Path, HttpOnly: true}
		if k.TTL > 0 {
			h.MaxAge = max(1, int(k.TTL/time.Second))
		}
		lines = append(lines, h.String())
	}
	return lines
}

// RequestHeaders are the changes that the route makes of the request's headers.
func (c *Call) RequestHeaders() []traffic.HeaderOp {
	switch {
	case c.target != nil:
		return c.target.RequestHeaders
	case c.rule != nil:
		return c.rule.RequestHeaders
	}
	return nil
}

// ResponseHeaders are the changes that it makes of the response's.
func (c *Call) ResponseHeaders() []traffic.HeaderOp {
	switch {
	case c.target != nil:
		return c.target.ResponseHeaders
	case c.rule != nil:
		return c.rule.ResponseHeaders
	}
	return nil
}
