package client

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"sync"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
)

// answerBytes is how much of a copy's answer is read, so that its connection can be used again.
const answerBytes = 64 << 10

// shadow is what copies of a call are made of: the request as it stood, and its body as far as it has been sent. The body is
// taken while the call sends it, even where GetBody would give another: when the call is over its caller may use the
// memory behind it for something else.
type shadow struct {
	copies    *stack.Copies
	transport *transport
	req       *http.Request // without a body
	direct    bool

	mu   sync.Mutex
	body []byte
	now  *tee // that may add to body; nil once the copies are sent or dropped
}

// Copy takes from the call what its copies need.
func (x *exchange) Copy(cs *stack.Copies) {
	if x.req.Header["Upgrade"] != nil {
		cs.Drop(stack.CopyMessage)
		return
	}
	s := &shadow{copies: cs, transport: x.transport, req: x.shadowed(), direct: x.Direct}
	if !x.hasBody() {
		s.send(nil)
		return
	}
	if n := x.req.ContentLength; n > 0 {
		if !cs.Hold(n) {
			return
		}
		s.body = make([]byte, 0, n)
	}
	cs.Kept = s
}

// shadowed is the request as the call's server is to see it, but for the authority, without its body. It shares nothing with
// the caller's, who may change that when the call is over.
func (x *exchange) shadowed() *http.Request {
	u := *x.req.URL
	x.rewritePath(&u)
	host := cmp.Or(x.req.Host, u.Host)
	if r := x.rewrite(); r != nil && r.Authority != "" {
		host = r.Authority
	}
	out := &http.Request{Method: x.req.Method, URL: &u, Host: stack.Shadow(host), Header: x.req.Header.Clone(), ProtoMajor: 1, ProtoMinor: 1}
	change(out.Header, x.RequestHeaders())
	out.Header.Del("Expect")
	return out
}

// tee is a body that is read for the call and kept for its copies.
type tee struct {
	io.ReadCloser

	of     *shadow
	length int64 // that was announced; -1 where none was
}

// tee puts one around a body that the call is about to send, from its beginning. Only what the latest gives is kept.
func (x *exchange) tee(body io.ReadCloser) io.ReadCloser {
	cs := x.Copies()
	if cs == nil || cs.Kept == nil {
		return body
	}
	s := cs.Kept.(*shadow)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &tee{body, s, max(x.req.ContentLength, 0)}
	if t.length == 0 {
		t.length = -1
	}
	s.now, s.body = t, s.body[:0]
	return t
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.of.keep(t, p[:n], err == io.EOF) //nolint:errorlint // a body's end is this very value
	return n, err
}

// keep adds what was read. At the end of the body the copies are sent.
func (s *shadow) keep(t *tee, b []byte, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != t {
		return
	}
	if !s.fits(len(b)) {
		s.now, s.body = nil, nil
		return
	}
	s.body = append(s.body, b...)
	if end || int64(len(s.body)) == t.length {
		body := s.body
		s.now, s.body = nil, nil
		s.send(body)
	}
}

// fits makes room for n bytes more, if there may be any.
func (s *shadow) fits(n int) bool {
	need := len(s.body) + n
	if need <= cap(s.body) {
		return true
	}
	size := max(need, 2*cap(s.body), 4<<10)
	if !s.copies.Hold(int64(size - cap(s.body))) {
		return false
	}
	s.body = append(make([]byte, 0, size), s.body...)
	return true
}

// send sends the copies.
func (s *shadow) send(body []byte) {
	req, t, direct := s.req, s.transport, s.direct
	s.copies.Send(func(m *stack.Copy) { t.copy(m, req, body, direct) })
}

// copy makes one copy, and reads what is answered.
func (t *transport) copy(m *stack.Copy, req *http.Request, body []byte, direct bool) {
	req = req.WithContext(m.Ctx)
	if len(body) > 0 {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	x := &exchange{transport: t, req: req}
	x.Wire, x.Protocol, x.Method, x.Direct = x, call.HTTP, cmp.Or(req.Method, http.MethodGet), direct
	err := m.Do(&x.Call)
	x.settle(err != nil)
	if err != nil {
		return
	}
	resp := x.Last().Reply.(*http.Response)
	x.body.Attach(resp, x, false)
	_, _ = io.CopyN(io.Discard, resp.Body, answerBytes)
	_ = resp.Body.Close()
}
