package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"

	"github.com/intramesh/intramesh/internal/stack"
)

// response is the ResponseWriter that a handler gets, and all that is kept for one request: one allocation. It is not
// pooled, because a handler that uses its writer after it returned must not write into somebody else's answer.
type response struct {
	http.ResponseWriter
	server   *Server
	request  *http.Request // nil unless somebody observes
	serve    stack.Serve
	tls      *tls.ConnectionState // nil unless somebody guards, like the next two
	conn     *conn                // nil also without Attach
	held     *held                // nil also before the first flush
	wrote    bool                 // the header is out, or as good as
	hijacked bool
}

// Unwrap lets http.ResponseController reach the deadlines and full duplex of the server's own writer.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	switch {
	case status == http.StatusSwitchingProtocols: // final, and its Connection header says "Upgrade"
		w.wrote = true
		w.serve.Status = status
		stripMark(w.Header())
	case status < 200: // informational: the answer is still to come
		stripMark(w.Header())
	default:
		if !w.wrote {
			w.serve.Status = status
		}
		w.head()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.head()
	return w.ResponseWriter.Write(p)
}

// WriteString keeps io.WriteString free of a copy.
func (w *response) WriteString(s string) (int, error) {
	w.head()
	return io.WriteString(w.ResponseWriter, s)
}

// FlushError is what http.ResponseController looks for. It is there even where the server's writer is no Flusher itself,
// because the controller would otherwise go around us to one further out, and the header would be out unseen.
func (w *response) FlushError() error {
	before := w.wrote
	w.hold()
	w.head()
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if errors.Is(err, http.ErrNotSupported) {
		w.wrote = before
	}
	return err
}

// head does the last things to a header that is about to be sent.
func (w *response) head() {
	if w.wrote {
		return
	}
	w.wrote = true
	h := w.Header()
	stripMark(h)
	if w.server.core.Winding() || w.conn != nil && w.conn.retired.Load() {
		h.Set("Connection", "close") // net/http makes GOAWAY of it on HTTP/2
	}
}

// end runs deferred: it catches a panic, ends the layers, and finishes the answer.
func (w *response) end() {
	p := recover()
	if err := w.release(); err != nil && p == nil {
		p = http.ErrAbortHandler // no more of the answer, and no end of it either
		w.serve.Err = err
	}
	aborted := p == http.ErrAbortHandler //nolint:errorlint // net/http compares so too
	if !aborted {
		w.serve.Panic = p
	}
	if w.hijacked {
		w.server.hijacks.Leave()
	}
	w.conclude(p != nil, aborted)
	w.server.core.End(&w.serve)
	switch {
	case p == nil:
		if !w.hijacked {
			w.head() // net/http writes the header of a handler that wrote nothing
		}
	case aborted || w.wrote:
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	default:
		w.fail()
	}
}

// fail answers for a handler that panicked before it had sent anything. What it had said about its body does not hold.
func (w *response) fail() {
	h := w.Header()
	for _, name := range [...]string{
		"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Range",
		"Etag", "Expires", "Last-Modified", "Location", "Set-Cookie", "Trailer",
	} {
		delete(h, name)
	}
	sendText(w, http.StatusInternalServerError, "internal error")
}
