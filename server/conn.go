package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// conn is a TLS connection of an attached server, as the warden and PeerFrom know it. It is in the context of the
// connection, from which those of its requests derive: so no request needs a context, and a copy of itself, for it.
type conn struct {
	server  *Server
	tls     *tls.Conn
	state   atomic.Pointer[tls.ConnectionState] // since the first request
	retired atomic.Bool                         // answers should ask the client to leave

	mu      sync.Mutex
	watched bool
	gone    bool
}

// track hooks into the connections of srv.
func (s *Server) track(srv *http.Server) {
	var all sync.Map // net.Conn to *conn
	begin, change := srv.ConnContext, srv.ConnState
	srv.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		if begin != nil {
			ctx = begin(ctx, nc)
		}
		tc, ok := nc.(*tls.Conn)
		if !ok || ctx == nil { // of which net/http complains
			return ctx
		}
		c := &conn{server: s, tls: tc}
		all.Store(nc, c)
		return context.WithValue(ctx, stack.PeerKey{}, c)
	}
	srv.ConnState = func(nc net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			if c, ok := all.LoadAndDelete(nc); ok {
				c.(*conn).leave()
			}
		}
		if change != nil {
			change(nc, state)
		}
	}
}

// connOf is the connection of a request, if s tracks it.
func (s *Server) connOf(ctx context.Context) *conn {
	if c, ok := ctx.Value(stack.PeerKey{}).(*conn); ok && c.server == s {
		return c
	}
	return nil
}

// guard lets the guard ask about the request; where there is none this costs nothing.
func (w *response) guard(r *http.Request) {
	if w.server.core.Guard != nil {
		w.tls = r.TLS
		w.serve.Remote, w.serve.Host = (*remote)(w), r.Host
	}
}

// admit is called for a request that may pass: its handler may ask who the peer is.
func (w *response) admit(r *http.Request) {
	peer := w.serve.Judged.Asks.Peer
	if peer == nil {
		return
	}
	if w.conn = w.server.connOf(r.Context()); w.conn != nil {
		w.conn.arrive(r.TLS)
		return
	}
	w.serve.Ctx = stack.WithPeer(w.serve.Ctx, peer) //nolint:fatcontext // once a request
}

// arrive is called for every request of a peer. The first has the connection watched: by then the handshake is over.
func (c *conn) arrive(state *tls.ConnectionState) {
	if c.state.Load() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watched || c.gone {
		return
	}
	c.state.Store(state)
	c.watched = true
	c.server.core.Warden.Watch(c)
}

func (c *conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	if c.watched {
		c.server.core.Warden.Forget(c)
	}
}

// Authenticate is for PeerFrom and the warden.
func (c *conn) Authenticate(id security.Identity) (*security.Peer, error) {
	return security.VerifyClient(id, c.state.Load())
}

// Retire has the next answer ask the client to leave: "Connection: close", or GOAWAY over HTTP/2.
func (c *conn) Retire() { c.retired.Store(true) }

// Cut closes what lies below TLS, whose own Close may wait for a client that does not read.
func (c *conn) Cut() { _ = c.tls.NetConn().Close() }
