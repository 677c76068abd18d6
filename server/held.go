package server

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// remote is a response as the guard sees it: the methods of a response itself are for handlers.
type remote response

// Authenticate judges the client of the request's connection.
func (r *remote) Authenticate(id security.Identity) (*security.Peer, error) {
	return security.VerifyClient(id, r.tls)
}

// held is a request whose answer goes out piece by piece, which is judged again.
type held struct {
	*remote

	mu   sync.Mutex
	over bool
	err  error // why it was ended
}

// hold is called when a handler flushes: only then is it known that a request lasts, and others pay nothing.
func (w *response) hold() {
	if w.held == nil && w.serve.Judged.Again {
		w.held = &held{remote: (*remote)(w)}
		w.server.core.Warden.Hold(w.held)
	}
}

// release says why the request was ended, if it was. The writer is not touched from another goroutine after that.
func (w *response) release() error {
	if w.held == nil {
		return nil
	}
	w.server.core.Warden.Release(w.held)
	w.held.mu.Lock()
	defer w.held.mu.Unlock()
	w.held.over = true
	return w.held.err
}

// Judged implements [stack.ServeHeld].
func (h *held) Judged() *stack.Judgement { return &h.serve.Judged }

// Revoke ends the request's context and its answer, the latter so that it is not taken for a whole one: by the end of the
// connection over HTTP/1.1, and of the stream alone over HTTP/2.
func (h *held) Revoke(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	h.err = err
	past := time.Unix(1, 0)
	rc := http.NewResponseController(h.ResponseWriter)
	if _, ok := h.ResponseWriter.(http.Hijacker); !ok {
		_ = rc.SetWriteDeadline(past) // it resets the stream; that is all that can be done
		return
	}
	if h.conn != nil {
		h.conn.Cut()
		return
	}
	_ = rc.SetReadDeadline(past) // net/http reads while the handler runs, and ends the context
	_ = rc.SetWriteDeadline(past)
}

// taken is a request whose connection was hijacked. It holds nothing that holds the connection, which a handler may have
// forgotten: see hijacks.
type taken struct {
	judged stack.Judgement
	state  *tls.ConnectionState
	find   func() net.Conn
}

// take has the request judged again as long as its connection is in use, which may be longer than its handler runs.
func (w *response) take(conn net.Conn) {
	if !w.serve.Judged.Again {
		return
	}
	_, find := weakly(conn)
	warden, t := w.server.core.Warden, &taken{w.serve.Judged, w.tls, find}
	whenGone(conn, func() { warden.Release(t) })
	warden.Hold(t)
}

// Authenticate implements [stack.Remote].
func (t *taken) Authenticate(id security.Identity) (*security.Peer, error) {
	return security.VerifyClient(id, t.state)
}

// Judged implements [stack.ServeHeld].
func (t *taken) Judged() *stack.Judgement { return &t.judged }

// Revoke closes the connection, the only thing of the request that is left to net/http or us.
func (t *taken) Revoke(error) {
	switch c := t.find().(type) {
	case nil:
	case *tls.Conn:
		_ = c.NetConn().Close() // see conn.Cut
	default:
		_ = c.Close()
	}
}
