package httpwire

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
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
	mu  sync.Mutex        // serialises renewals
	old []*http.Transport // that were replaced lately, and may have had connections in use
}

// remembered is how many of those there are at most. What is forgotten is closed when it has been idle for long enough.
const remembered = 8

// generation is the connections that were made by the same rules.
type generation struct {
	transport *http.Transport
	of        meshtls.Basis
	scheme    string    // of its requests; empty: as their caller has it
	ends      time.Time // when its connections are too old; zero: never
}

func (r *renewed) basis() meshtls.Basis { return r.pool.cfg.TLS.Basis(r.node.Settings()) }

// RoundTrip sends the request on a connection of the present generation.
func (r *renewed) RoundTrip(req *http.Request) (*http.Response, error) {
	g := r.current()
	if g.scheme != "" && req.URL.Scheme != g.scheme {
		// The policy has changed since the request was addressed. Whether it is secured is for the connections to say.
		u := *req.URL
		u.Scheme = g.scheme
		req = req.WithContext(req.Context())
		req.URL = &u
	}
	if c := g.of.Connections; c != nil && c.MaxRequests > 0 {
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
	next := &generation{transport: r.pool.made(r.node, of), of: of, scheme: Scheme(r.pool.cfg.TLS.Mode(of.TLS))}
	if of.Connections != nil && of.Connections.MaxAge > 0 {
		next.ends = time.Now().Add(of.Connections.MaxAge)
	}
	r.now.Store(next)
	if old != nil {
		r.old = append(r.old, old.transport)
		r.closeOld()
		r.old = r.old[max(0, len(r.old)-remembered):]
	}
	return next
}

// closeOld closes what has become idle since it was replaced. The caller holds mu.
func (r *renewed) closeOld() {
	for _, t := range r.old {
		t.CloseIdleConnections()
	}
}

// serves reports whether there is such a generation, and it is of use.
func (g *generation) serves(of meshtls.Basis) bool {
	return g != nil && g.of == of && (g.ends.IsZero() || time.Now().Before(g.ends))
}

// CloseIdleConnections gives back what is idle now.
func (r *renewed) CloseIdleConnections() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeOld()
	if g := r.now.Load(); g != nil {
		g.transport.CloseIdleConnections()
	}
}

// Scheme is that of requests over connections of the mode; empty where that says nothing.
func Scheme(m traffic.TLSMode) string {
	switch m {
	case "":
		return ""
	case traffic.TLSDisable:
		return "http"
	}
	return "https"
}

// made is a transport for the endpoint as its policy has it, that speaks only with who the endpoint has to be. Where nobody
// knows who that is, it connects to nobody.
func (p *Pool) made(n *stack.Node, of meshtls.Basis) *http.Transport {
	t := p.transport(n)
	// What a generation has in use when it is replaced becomes idle later, and nobody asks for it again.
	t.IdleConnTimeout = cmp.Or(t.IdleConnTimeout, idleTimeout)
	if of.Connections != nil {
		tune(t, of.Connections)
	}
	if p.cfg.TLS.Mode(of.TLS) != "" {
		p.secure(t, n, of)
	}
	if c := of.Connections; c != nil && c.HTTP2 != nil && *c.HTTP2 {
		t.TLSClientConfig = speaksHTTP2(t.TLSClientConfig)
	}
	return t
}

// secure has t speak TLS, or none, as the policy says.
func (p *Pool) secure(t *http.Transport, n *stack.Node, of meshtls.Basis) {
	t.DialTLSContext = nil
	cfg, err := p.cfg.TLS.ConfigBy(n, of.TLS)
	if err != nil {
		t.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
		return
	}
	t.TLSClientConfig = cfg
}

var errHTTP2 = errors.New("intramesh: the server does not speak HTTP/2, which the policy asks for")

// speaksHTTP2 is cfg, which may be nil, for servers that agree to HTTP/2. With one that agrees to nothing net/http speaks
// HTTP/1.1, whatever it was told.
func speaksHTTP2(cfg *tls.Config) *tls.Config {
	if cfg == nil {
		cfg = new(tls.Config)
	}
	verify := cfg.VerifyConnection
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if s.NegotiatedProtocol != "h2" {
			return errHTTP2
		}
		if verify != nil {
			return verify(s)
		}
		return nil
	}
	return cfg
}
