package server

import (
	"errors"
	"io"
	"net/http"

	"github.com/intramesh/intramesh/internal/call"
)

// Handler wraps h, so that every request passes the server's layers: deadlines that callers send end the request's
// context, the attempt's number reaches the mesh clients that h uses, and panics are answered with 500 and logged. Nil
// means [http.DefaultServeMux], as in [http.Server]. A handler that s has wrapped already is returned as it is.
//
// What h gets still is a [http.Flusher], [http.Hijacker] or [http.Pusher] where the server's ResponseWriter is one, and
// [http.ResponseController] works. Wrapping a handler without [Server.Attach] is fine; the http.Server is then yours to
// shut down.
func (s *Server) Handler(h http.Handler) http.Handler {
	if h == nil {
		h = http.DefaultServeMux
	}
	if wrapped, ok := h.(*handler); ok && wrapped.server == s {
		return h
	}
	return &handler{server: s, next: h}
}

type handler struct {
	server *Server
	next   http.Handler
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res, out := newResponse(w, h.server)
	c := &res.serve
	c.Ctx, c.Method, c.Path = r.Context(), r.Method, r.URL.Path
	readHints(c, r.Header)
	res.observe(r)
	res.guard(r)
	if err := h.server.core.Begin(c); err != nil {
		refuse(res, err)
		return
	}
	res.admit(r)
	if c.Ctx == r.Context() {
		defer res.end()
		h.next.ServeHTTP(out, r)
		return
	}
	h.withContext(res, out, r)
}

// withContext serves a copy of r that has the context which the layers made. What the handler leaves in the copy goes
// back to r: net/http removes the temporary files of r's form, and middleware outside looks at r's pattern.
func (h *handler) withContext(res *response, out http.ResponseWriter, r *http.Request) {
	in := r.WithContext(res.serve.Ctx)
	if res.request != nil {
		res.request = in // which the handler's mux will note its pattern in
	}
	defer res.end()
	defer func() { r.MultipartForm, r.Pattern = in.MultipartForm, in.Pattern }()
	h.next.ServeHTTP(out, in)
}

// refuse answers for a layer that let the request not pass. The status comes from the one table, the text says why.
func refuse(res *response, err error) {
	code := call.Unavailable
	if refused, ok := errors.AsType[*call.Error](err); ok {
		code = refused.Code
		err = refused.Err
	}
	if code == call.Unauthenticated {
		res.Header().Set("Connection", "close") // it takes a new connection to show another certificate
	}
	sendText(res, code.HTTPStatus(), err.Error())
}

func sendText(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") //nolint:gosec // plain text of our own, and no browser may guess otherwise
}
