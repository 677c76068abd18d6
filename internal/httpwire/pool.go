package httpwire

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/stack"
)

// Limits of the transports for endpoints where the caller gave no transport to take them from.
const (
	connectTimeout = 10 * time.Second
	// idleTimeout is shorter than what servers usually keep idle connections for: one that the server closes first
	// loses the request that is on its way.
	idleTimeout = 60 * time.Second
	// maxIdle is per endpoint. The two of http.DefaultTransport make every burst a burst of handshakes.
	maxIdle = 256
)

// DialFunc opens a connection to an endpoint.
type DialFunc func(ctx context.Context, e discovery.Endpoint) (net.Conn, error)

// Pool holds one transport for each endpoint, whose connections all go there.
type Pool struct {
	base *http.Transport // what the transports are cloned from
	dial DialFunc        // nil: by base
	wrap func(http.RoundTripper) http.RoundTripper
}

// NewPool makes transports after base, with its limits and dial settings but without its proxy; a nil base stands for
// the settings above. dial and wrap may be nil.
func NewPool(base *http.Transport, dial DialFunc, wrap func(http.RoundTripper) http.RoundTripper) *Pool {
	if base == nil {
		base = standard()
	} else {
		h2 := speaksHTTP2(base)
		base = base.Clone()
		// A transport with a dialer of its own is one that net/http no longer trusts to speak HTTP/2 unless told.
		base.ForceAttemptHTTP2 = h2
		base.Proxy = nil
	}
	return &Pool{base: base, dial: dial, wrap: wrap}
}

func standard() *http.Transport {
	d := &net.Dialer{Timeout: connectTimeout}
	return &http.Transport{
		DialContext:           d.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   maxIdle,
		IdleConnTimeout:       idleTimeout,
		TLSHandshakeTimeout:   connectTimeout,
		ExpectContinueTimeout: time.Second,
	}
}

// speaksHTTP2 reports whether t would negotiate HTTP/2 over TLS.
func speaksHTTP2(t *http.Transport) bool {
	if t.Protocols != nil {
		return t.Protocols.HTTP2()
	}
	custom := t.TLSClientConfig != nil || t.Dial != nil || t.DialContext != nil || t.DialTLS != nil || t.DialTLSContext != nil //nolint:staticcheck // callers may still set them
	return t.ForceAttemptHTTP2 || (t.TLSNextProto == nil && !custom)
}

// For is the transport for the endpoint n.
func (p *Pool) For(n *stack.Node) http.RoundTripper {
	return stack.Slot(n, p, p.build).rt
}

type endpointTransport struct {
	transport *http.Transport
	rt        http.RoundTripper
}

// Close gives back idle connections; those in use go on.
func (t *endpointTransport) Close() error {
	t.transport.CloseIdleConnections()
	return nil
}

// build pins a clone of base to the endpoint.
func (p *Pool) build(n *stack.Node) *endpointTransport {
	t := p.base.Clone()
	t.DialContext = p.pin(n)
	t.Dial = nil //nolint:staticcheck // DialContext has taken its place
	if tls := p.base.DialTLSContext; tls != nil {
		t.DialTLSContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return tls(ctx, network, n.Addr())
		}
	}
	e := &endpointTransport{transport: t, rt: t}
	if p.wrap != nil {
		e.rt = p.wrap(t)
	}
	return e
}

// pin is a dial function that goes to the endpoint, whatever the host of the request.
func (p *Pool) pin(n *stack.Node) func(context.Context, string, string) (net.Conn, error) {
	if p.dial != nil {
		return func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx, n.Endpoint()) }
	}
	dial := p.base.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout}).DialContext
		if old := p.base.Dial; old != nil { //nolint:staticcheck // a caller's transport may still have it
			dial = func(_ context.Context, network, addr string) (net.Conn, error) { return old(network, addr) }
		}
	}
	network, addr := "tcp", n.Addr()
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, network, addr) }
}
