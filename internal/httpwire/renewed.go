package httpwire

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/meshtls"
	"github.com/intramesh/intramesh/internal/stack"
)

// renewed is the transport of an endpoint whose connections do not last as long as the client: of one with an identity, or
// with a policy. When the identity is renewed, what it trusts changes, or the policy for connections does, the next request
// takes a new connection: a server refuses a connection whose certificate has expired meanwhile, and one that was made when
// more was trusted must not be used on. What is under way on the old ones goes on to its end.
type renewed struct {
	pool *Pool
	node *stack.Node

	now atomic.Pointer[generation]
	mu  sync.Mutex // serialises renewals
}

// generation is the connections that were made by the same rules.
type generation struct {
	transport *http.Transport
	of        basis
	ends      time.Time // when its connections are too old; zero: never
}

// basis is what connections are made by.
type basis struct {
	tls   meshtls.Basis
	conns *traffic.Connections
}

func (r *renewed) basis() basis {
	return basis{tls: r.pool.cfg.TLS.Basis(r.node), conns: r.node.Settings().Connections}
}

// RoundTrip sends the request on a connection of the present generation.
func (r *renewed) RoundTrip(req *http.Request) (*http.Response, error) {
	g := r.current()
	if c := g.of.conns; c != nil && c.MaxRequests > 0 {
		req = counting(req, c.MaxRequests)
	}
	return g.transport.RoundTrip(req)
}

func (r *renewed) current() *generation {
	of := r.basis()
	if g := r.now.Load(); g.serves(of) {
		return g
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	of = r.basis() // another may have been quicker, and with a newer one
	old := r.now.Load()
	if old.serves(of) {
		return old
	}
	next := &generation{transport: r.pool.made(r.node, of.conns), of: of}
	if of.conns != nil && of.conns.MaxAge > 0 {
		next.ends = time.Now().Add(of.conns.MaxAge)
	}
	r.now.Store(next)
	if old != nil {
		old.transport.CloseIdleConnections()
	}
	return next
}

// serves reports whether there is such a generation, and it is of use.
func (g *generation) serves(of basis) bool {
	return g != nil && g.of == of && (g.ends.IsZero() || time.Now().Before(g.ends))
}

// CloseIdleConnections gives back what is idle now.
func (r *renewed) CloseIdleConnections() {
	if g := r.now.Load(); g != nil {
		g.transport.CloseIdleConnections()
	}
}

// made is a transport for the endpoint as its policy has it, that speaks only with who the endpoint has to be. Where nobody
// knows who that is, it connects to nobody.
func (p *Pool) made(n *stack.Node, conns *traffic.Connections) *http.Transport {
	t := p.transport(n)
	// What a generation has in use when it is replaced becomes idle later, and nobody asks for it again.
	t.IdleConnTimeout = cmp.Or(t.IdleConnTimeout, idleTimeout)
	if conns != nil {
		tune(t, conns)
	}
	if p.cfg.TLS.Mode(n) == "" {
		return t
	}
	t.DialTLSContext = nil
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
