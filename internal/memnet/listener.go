package memnet

import (
	"net"
	"sync"
)

// listener queues connections without a limit: the peer of a server that does not accept sees a connection that is open
// and silent, as with TCP's backlog.
type listener struct {
	net  *Network
	addr string

	mu     sync.Mutex
	wake   sync.Cond // queue or closed has changed
	queue  []*conn
	closed bool
}

func newListener(n *Network, addr string) *listener {
	l := &listener{net: n, addr: addr}
	l.wake.L = &l.mu
	return l
}

// Accept waits for the next connection.
func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.wake.Wait()
	}
	if l.closed {
		return nil, opError("accept", "", l.addr, net.ErrClosed)
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

// Close frees the address. Connections that were accepted live on, those that were not are reset.
func (l *listener) Close() error {
	l.mu.Lock()
	queue := l.queue
	closed := l.closed
	l.queue, l.closed = nil, true
	l.wake.Broadcast()
	l.mu.Unlock()
	if closed {
		return opError("close", "", l.addr, net.ErrClosed)
	}
	l.net.unlisten(l.addr)
	for _, c := range queue {
		c.abort()
	}
	return nil
}

// Addr is the address that was listened on, with its port where 0 was asked for.
func (l *listener) Addr() net.Addr { return addr(l.addr) }

// enqueue hands over a new connection, unless the listener is closed.
func (l *listener) enqueue(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.queue = append(l.queue, c)
	l.wake.Signal()
	return true
}
