package httpwire

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// renewed is the transport of an endpoint of a client with an identity. When the identity is renewed, or what it trusts
// changes, the next request takes a new connection: a server refuses a connection whose certificate has expired meanwhile,
// and one that was made when more was trusted must not be used on. What is under way on the old ones goes on to its end.
type renewed struct {
	pool *Pool
	node *stack.Node

	now atomic.Pointer[generation]
	mu  sync.Mutex // serialises renewals
}

// generation is the connections that were made with one identity.
type generation struct {
	transport *http.Transport
	of        *security.Material
}

// RoundTrip sends the request on a connection of the present identity.
func (r *renewed) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.current().RoundTrip(req)
}

func (r *renewed) current() *http.Transport {
	m := r.pool.cfg.TLS.Material()
	if g := r.now.Load(); g != nil && g.of == m {
		return g.transport
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m = r.pool.cfg.TLS.Material() // another may have been quicker, and with a newer one
	old := r.now.Load()
	if old != nil && old.of == m {
		return old.transport
	}
	next := &generation{transport: r.pool.secured(r.node), of: m}
	r.now.Store(next)
	if old != nil {
		old.transport.CloseIdleConnections()
	}
	return next.transport
}

// CloseIdleConnections gives back what is idle now.
func (r *renewed) CloseIdleConnections() {
	if g := r.now.Load(); g != nil {
		g.transport.CloseIdleConnections()
	}
}

// secured is a transport that speaks only with who the endpoint has to be. Where nobody knows who that is, it connects to
// nobody.
func (p *Pool) secured(n *stack.Node) *http.Transport {
	t := p.transport(n)
	t.DialTLSContext = nil
	// What a generation has in use when it is replaced becomes idle later, and nobody asks for it again.
	t.IdleConnTimeout = cmp.Or(t.IdleConnTimeout, idleTimeout)
	cfg, err := p.cfg.TLS.Config(n)
	if err != nil {
		t.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
		return t
	}
	t.TLSClientConfig = cfg
	return t
}
