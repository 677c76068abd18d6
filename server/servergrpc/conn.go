package servergrpc

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// linger is how long a connection that is cut still carries the last words of its streams.
const linger = time.Second

// conn is a connection of a server with an identity. grpc asks clients to leave all connections or those of some age, but
// not a certain one, so it is done here: between two frames of grpc's own, a GOAWAY is sent that lets the streams there
// are go on (RFC 9113, 6.8).
type conn struct {
	net.Conn

	raw    net.Conn
	info   credentials.AuthInfo
	warden *stack.Warden

	mu       sync.Mutex // of what is written
	frames   frames
	retiring bool
}

func newConn(secured, raw net.Conn, info credentials.AuthInfo, w *stack.Warden) *conn {
	return &conn{Conn: secured, raw: raw, info: info, warden: w}
}

// Write is called by grpc, from one goroutine.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if err != nil {
		c.warden.Forget(c) // grpc may close what lies below, and not this
		return n, err
	}
	c.frames.pass(p[:n])
	c.leave()
	return n, nil
}

// Close ends the watch too.
func (c *conn) Close() error {
	c.warden.Forget(c)
	return c.Conn.Close()
}

// SyscallConn is for channelz, which shows the options of sockets.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.raw.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Authenticate implements [stack.Remote].
func (c *conn) Authenticate(id security.Identity) (*security.Peer, error) { return verify(c.info, id) }

// Retire asks the client to make another connection; on a goroutine of its own, as a client that does not read may have
// filled the way to it. That ends with the connection at the latest.
func (c *conn) Retire() {
	go func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.retiring = true
		c.leave()
	}()
}

// Cut closes the connection. Its streams have been told why, and new calls are refused one by one.
func (c *conn) Cut() {
	c.Retire()
	time.AfterFunc(linger, func() { _ = c.raw.Close() })
}

// leave says GOAWAY if it is to be said and can be. The caller holds mu.
func (c *conn) leave() {
	if !c.retiring || !c.frames.border() || c.frames.left {
		return
	}
	c.frames.left = true
	_, _ = c.Conn.Write(goAway) // an error is grpc's to find
}
