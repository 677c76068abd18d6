package memnet

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// link is a connection as the network sees it: two pipes, and an end on each side.
type link struct {
	net            *Network
	addr           string // that was dialled
	client, server *conn
	open           atomic.Int32 // ends that are not closed
}

func newLink(n *Network, from, to string) *link {
	l := &link{net: n, addr: to}
	there, back := newPipe(), newPipe()
	l.client = &conn{link: l, in: back, out: there, local: addr(from), remote: addr(to)}
	l.server = &conn{link: l, in: there, out: back, local: addr(to), remote: addr(from)}
	l.open.Store(2)
	return l
}

func (l *link) reset() {
	l.client.in.reset()
	l.client.out.reset()
}

func (l *link) stall(on bool) {
	for _, p := range []*pipe{l.client.in, l.client.out} {
		p.change(func() { p.stalled = on })
	}
}

// conn is one end of a link. Beside net.Conn it has those methods of *net.TCPConn that servers and proxies look for.
type conn struct {
	link          *link
	in, out       *pipe
	local, remote addr
	closed        atomic.Bool
	aborts        atomic.Bool // Close resets
}

// Read returns io.EOF bare, and every other error as a *net.OpError, as package net does.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = c.opError("read", err)
	}
	return n, err
}

// Write returns when all of b is in the buffer.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	if err != nil {
		err = c.opError("write", err)
	}
	return n, err
}

// CloseWrite ends one direction only: the peer reads io.EOF and may still answer.
func (c *conn) CloseWrite() error {
	if c.closed.Load() {
		return c.opError("close", net.ErrClosed)
	}
	c.out.finish()
	return nil
}

// Close ends both directions. The peer reads what is pending, then io.EOF, and its writes fail with EPIPE.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return c.opError("close", net.ErrClosed)
	}
	if c.aborts.Load() {
		c.link.reset()
	}
	c.in.abandon() // first: what the peer answers to the end of this direction arrives nowhere, as after close(2)
	c.out.finish()
	if c.link.open.Add(-1) == 0 {
		c.link.net.forget(c.link)
	}
	return nil
}

// SetLinger with 0 makes Close reset the connection, as it does for TCP: the peer sees ECONNRESET and loses what is
// pending. Other values change nothing.
func (c *conn) SetLinger(sec int) error {
	c.aborts.Store(sec == 0)
	return nil
}

// SetNoDelay is there because servers look for it. There is no delay.
func (c *conn) SetNoDelay(bool) error { return nil }

// SetKeepAlive is there because servers look for it. No probes are sent.
func (c *conn) SetKeepAlive(bool) error { return nil }

func (c *conn) abort() {
	c.aborts.Store(true)
	_ = c.Close() // fails only where it was closed before, and then nothing is left to do
}

// LocalAddr is this end's address.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the other end's address.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds reads, also those that wait already. The zero time is no bound.
func (c *conn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(c.in, &c.in.readBy, t)
}

// SetWriteDeadline bounds writes, also those that wait already. The zero time is no bound.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(c.out, &c.out.writeBy, t)
}

func (c *conn) setDeadline(p *pipe, d *deadline, t time.Time) error {
	if c.closed.Load() {
		return c.opError("set", net.ErrClosed)
	}
	p.change(func() { d.set(t) })
	return nil
}
