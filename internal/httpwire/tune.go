package httpwire

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
)

// tune gives a transport of one endpoint the settings that the policy has for its connections.
func tune(t *http.Transport, c *traffic.Connections) {
	if c.IdleTimeout > 0 {
		t.IdleConnTimeout = c.IdleTimeout
	}
	// What is idle for longer than it may be old is too old. That also ends what was in use when it was replaced.
	t.IdleConnTimeout = shorter(t.IdleConnTimeout, c.MaxAge)
	t.TLSHandshakeTimeout = shorter(t.TLSHandshakeTimeout, c.ConnectTimeout)
	if c.HTTP2 != nil {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(!*c.HTTP2)
		t.Protocols.SetHTTP2(*c.HTTP2)
		t.Protocols.SetUnencryptedHTTP2(*c.HTTP2)
		if !*c.HTTP2 {
			t.TLSNextProto, t.ForceAttemptHTTP2 = nil, false
		}
	}
	t.DialContext = tuned(t.DialContext, c)
	if t.DialTLSContext != nil {
		t.DialTLSContext = tuned(t.DialTLSContext, c)
	}
}

// shorter is the shorter one of two times of which 0 is none.
func shorter(a, b time.Duration) time.Duration {
	if a <= 0 || b > 0 && b < a {
		return b
	}
	return a
}

// tuned is dial with a limit in time, the policy's keep-alive, and connections that count.
func tuned(dial dialContext, c *traffic.Connections) dialContext {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if c.ConnectTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.ConnectTimeout)
			defer cancel()
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if err := KeepAlive(conn, c.Keepalive); err != nil {
			_ = conn.Close()
			return nil, err
		}
		if c.MaxRequests > 0 {
			return countable(conn), nil
		}
		return conn, nil
	}
}

// KeepAlive sets what k says of a connection of TCP, or of one around it that passes such settings on. Others have none.
func KeepAlive(conn net.Conn, k *traffic.Keepalive) error {
	if k == nil {
		return nil
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = t.NetConn()
	}
	tcp, ok := conn.(interface {
		SetKeepAliveConfig(config net.KeepAliveConfig) error
	})
	if !ok {
		return nil
	}
	set := net.KeepAliveConfig{Enable: true, Idle: k.Idle, Interval: k.Interval, Count: k.Count}
	// A zero would be net's own default. Less than that is what the connection has.
	if k.Idle == 0 {
		set.Idle = -1
	}
	if k.Interval == 0 {
		set.Interval = -1
	}
	if k.Count == 0 {
		set.Count = -1
	}
	return tcp.SetKeepAliveConfig(set)
}
