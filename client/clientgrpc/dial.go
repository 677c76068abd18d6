package clientgrpc

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/intramesh/intramesh/internal/httpwire"
)

// connOf is the connection that is being made, as its address carries it; nil where the mesh does not make it.
func connOf(ctx context.Context) *conn {
	info := credentials.ClientHandshakeInfoFromContext(ctx)
	if info.Attributes == nil {
		return nil
	}
	c, _ := info.Attributes.Value(connKey{}).(*conn)
	return c
}

// dial opens a connection as grpc asks for it, to the endpoint that comes with the address and by the terms of now.
func (d *dialer) dial(ctx context.Context, addr string) (net.Conn, error) {
	c := connOf(ctx)
	if c == nil {
		return plainDial(ctx, addr)
	}
	t := c.terms.Load()
	within, cancel := context.WithTimeout(ctx, t.connect)
	defer cancel()
	raw, err := d.open(within, c, addr)
	if err != nil {
		return nil, err
	}
	if p := t.of.Connections; p != nil {
		if err := httpwire.KeepAlive(raw, p.Keepalive); err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	c.begun(raw, t.connect)
	return raw, nil
}

func (d *dialer) open(ctx context.Context, c *conn, addr string) (net.Conn, error) {
	if d.config.Dial != nil {
		return d.config.Dial(ctx, c.node.Endpoint())
	}
	return plainDial(ctx, addr)
}

func plainDial(ctx context.Context, addr string) (net.Conn, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

// making is a connection that is open and not yet ready: TLS and the first words of HTTP/2 are still to be said.
type making struct {
	timer *time.Timer
	after time.Duration
	late  atomic.Bool
}

// begun closes the connection if it is not ready in time.
func (c *conn) begun(raw net.Conn, limit time.Duration) {
	m := &making{after: limit}
	m.timer = time.AfterFunc(limit, func() {
		m.late.Store(true)
		_ = raw.Close()
	})
	c.making.Store(m)
}

// made ends that; it returns an error where the connection was not ready in time.
func (c *conn) made() error {
	m := c.making.Swap(nil)
	if m == nil {
		return nil
	}
	m.timer.Stop()
	if m.late.Load() {
		return fmt.Errorf("clientgrpc: the server did not finish the handshake within %v: %w", m.after, context.DeadlineExceeded)
	}
	return nil
}
