package httpwire

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"
)

// counted is a connection that knows how many requests it has carried.
type counted struct {
	net.Conn

	requests atomic.Int64
}

// countable is conn, or one around it, whose requests can be counted. net/http must see a *tls.Conn as it is, or it does
// not know which protocol that speaks.
func countable(conn net.Conn) net.Conn {
	t, ok := conn.(*tls.Conn)
	if !ok {
		return &counted{Conn: conn}
	}
	key := weak.Make(t)
	dialed.Store(key, new(atomic.Int64))
	runtime.AddCleanup(t, func(key weak.Pointer[tls.Conn]) { dialed.Delete(key) }, key)
	return conn
}

// dialed are the requests of connections that the base's own function made, TLS included, for as long as they are there.
var dialed sync.Map // weak.Pointer[tls.Conn] to *atomic.Int64

// requests is the number of requests that a connection has carried; nil where nobody counts them.
func requests(conn net.Conn) *atomic.Int64 {
	t, ok := conn.(*tls.Conn)
	if ok {
		conn = t.NetConn()
	}
	if c, ok := conn.(*counted); ok {
		return &c.requests
	}
	if ok {
		if n, ok := dialed.Load(weak.Make(t)); ok {
			return n.(*atomic.Int64)
		}
	}
	return nil
}

// counting is req, which ends its connection where it is the last that the connection may carry: over HTTP/1.1 it says so
// to the server, over HTTP/2 the connection takes no more. The hook runs before the request is written.
func counting(req *http.Request, most int) *http.Request {
	var out *http.Request
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if n := requests(i.Conn); n != nil && n.Add(1) >= int64(most) {
			out.Close = true
		}
	}}
	out = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	return out
}
