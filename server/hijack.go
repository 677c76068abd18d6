package server

import (
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync"
	"weak"

	"github.com/intramesh/intramesh/internal/stack"
)

// hijacks knows the connections that handlers took over (WebSockets, CONNECT), because net/http forgets them: a drain
// waits for the handlers that still run, and closes at its end what is still open.
//
// The connections are held weakly. A handler then gets the very connection, not a wrapper that would hide its type and
// splice(2), and one that is closed or forgotten is not kept alive by us.
type hijacks struct {
	stack.Tally // of the handlers that have hijacked and not returned

	mu      sync.Mutex
	conns   []func() net.Conn // nil once the connection is gone
	sweepAt int
	closed  bool
}

// sweepMin is the number of connections below which forgetting the dead is not worth the while.
const sweepMin = 64

// enter registers a connection for a handler that runs. The handler must use what enter returns.
func (t *hijacks) enter(conn net.Conn) net.Conn {
	conn, get := weakly(conn)
	t.Enter()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		_ = conn.Close() // it was taken over during the end of the drain
		return conn
	}
	if len(t.conns) >= max(t.sweepAt, sweepMin) {
		t.sweep()
	}
	t.conns = append(t.conns, get)
	return conn
}

// sweep forgets the dead, at a cost that is constant for each connection entered.
func (t *hijacks) sweep() {
	alive := t.conns[:0]
	for _, get := range t.conns {
		if get() != nil {
			alive = append(alive, get)
		}
	}
	clear(t.conns[len(alive):])
	t.conns = alive
	t.sweepAt = 2 * len(alive)
}

// Close closes every hijacked connection that is still there.
func (t *hijacks) Close() error {
	t.mu.Lock()
	conns := t.conns
	t.conns, t.closed = nil, true
	t.mu.Unlock()
	for _, get := range conns {
		if c := get(); c != nil {
			_ = c.Close() // the handler may have closed it
		}
	}
	return nil
}

// weakly returns conn and what finds it again while it is in use. A weak pointer needs a concrete type; a connection of
// another type than net's and tls's own gets a wrapper of ours.
func weakly(conn net.Conn) (net.Conn, func() net.Conn) {
	switch c := conn.(type) {
	case *net.TCPConn:
		return c, find(weak.Make(c))
	case *tls.Conn:
		return c, find(weak.Make(c))
	case *net.UnixConn:
		return c, find(weak.Make(c))
	}
	h := &hijackedConn{conn}
	return h, find(weak.Make(h))
}

// whenGone has f called when nobody uses conn any more, which is one that weakly returned. f must not hold it.
func whenGone(conn net.Conn, f func()) {
	run := func(f func()) { f() }
	switch c := conn.(type) {
	case *net.TCPConn:
		runtime.AddCleanup(c, run, f)
	case *tls.Conn:
		runtime.AddCleanup(c, run, f)
	case *net.UnixConn:
		runtime.AddCleanup(c, run, f)
	case *hijackedConn:
		runtime.AddCleanup(c, run, f)
	}
}

func find[T any, P interface {
	*T
	net.Conn
}](w weak.Pointer[T]) func() net.Conn {
	return func() net.Conn {
		if c := w.Value(); c != nil {
			return P(c)
		}
		return nil
	}
}

// hijackedConn gives a connection of any type a pointer that we can hold weakly.
type hijackedConn struct{ net.Conn }

// NetConn is the connection itself, as [tls.Conn.NetConn] is.
func (c *hijackedConn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends our side where the connection can do that; proxies end half of a tunnel so.
func (c *hijackedConn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}
