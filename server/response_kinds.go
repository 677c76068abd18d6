package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// newResponse wraps w in the kind of response that can do what w can do, so that a type assertion in a handler finds
// exactly what it would find without us: HTTP/1.1 can be hijacked, HTTP/2 can push.
func newResponse(w http.ResponseWriter, s *Server) (*response, http.ResponseWriter) {
	_, flushes := w.(http.Flusher)
	_, hijacks := w.(http.Hijacker)
	_, pushes := w.(http.Pusher)
	switch {
	case flushes && hijacks:
		r := &hijackable{flushable{response{ResponseWriter: w, server: s}}}
		return &r.response, r
	case flushes && pushes:
		r := &pushable{flushable{response{ResponseWriter: w, server: s}}}
		return &r.response, r
	case flushes:
		r := &flushable{response{ResponseWriter: w, server: s}}
		return &r.response, r
	}
	r := &response{ResponseWriter: w, server: s}
	return r, r
}

type flushable struct{ response }

func (w *flushable) Flush() { _ = w.FlushError() }

// pushable is the response of HTTP/2.
type pushable struct{ flushable }

func (w *pushable) Push(target string, opts *http.PushOptions) error {
	return w.ResponseWriter.(http.Pusher).Push(target, opts)
}

// hijackable is the response of HTTP/1.1.
type hijackable struct{ flushable }

func (w *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buf, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if !w.hijacked {
		w.hijacked, w.wrote = true, true
		conn = w.server.hijacks.enter(conn)
		w.take(conn)
	}
	return conn, buf, nil
}

// ReadFrom keeps sendfile: net/http's own writer hands files to the kernel.
func (w *hijackable) ReadFrom(src io.Reader) (int64, error) {
	w.head()
	if rf, ok := w.ResponseWriter.(io.ReaderFrom); ok {
		return rf.ReadFrom(src)
	}
	return io.Copy(struct{ io.Writer }{w.ResponseWriter}, src)
}
