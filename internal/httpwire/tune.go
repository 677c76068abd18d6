package httpwire

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/intramesh/intramesh/client/traffic"
)

// tune gives a transport of one endpoint the settings that the policy has for its connections.
func tune(t *http.Transport, c *traffic.Connections) {
	if c.IdleTimeout > 0 {
		t.IdleConnTimeout = c.IdleTimeout
	}
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
		if tcp, ok := conn.(*net.TCPConn); ok && c.Keepalive != nil {
			k := net.KeepAliveConfig{Enable: true, Idle: c.Keepalive.Idle, Interval: c.Keepalive.Interval, Count: c.Keepalive.Count}
			if err := tcp.SetKeepAliveConfig(k); err != nil {
				_ = conn.Close()
				return nil, err
			}
		}
		if c.MaxRequests > 0 {
			return &counted{Conn: conn}, nil
		}
		return conn, nil
	}
}

// counted is a connection that knows how many requests it has carried.
type counted struct {
	net.Conn
	requests atomic.Int64
}

// counting is req, which ends its connection where it is the last that the connection may carry: over HTTP/1.1 it says so
// to the server, over HTTP/2 the connection takes no more. The hook runs before the request is written.
func counting(req *http.Request, most int) *http.Request {
	var out *http.Request
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if c := under(i.Conn); c != nil && c.requests.Add(1) >= int64(most) {
			out.Close = true
		}
	}}
	out = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	return out
}

// under is the counted connection beneath TLS; nil where there is none.
func under(conn net.Conn) *counted {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c, _ := conn.(*counted)
	return c
}
