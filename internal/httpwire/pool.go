package httpwire

import (
	"context"
	"net"
	"net/http"
	"slices"
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
	base *http.Transport // what the transports are cloned from; never used itself
	dial DialFunc        // nil: by base
	wrap func(http.RoundTripper) http.RoundTripper
	make func(*stack.Node) *endpointTransport // build, bound once and not at every call
}

// NewPool makes transports after base, with its limits and dial settings but without its proxy; a nil base stands for
// the settings above. dial and wrap may be nil.
func NewPool(base *http.Transport, dial DialFunc, wrap func(http.RoundTripper) http.RoundTripper) *Pool {
	if base == nil {
		base = standard()
	} else {
		base = template(base)
	}
	p := &Pool{base: base, dial: dial, wrap: wrap}
	p.make = p.build
	return p
}

// template is what the transports for endpoints are cloned from where the caller gave one.
func template(given *http.Transport) *http.Transport {
	t := given.Clone()
	t.Proxy = nil
	// A transport with a dialer of its own is one that net/http does not trust to speak HTTP/2 unless told. Whether the
	// given one does is settled when it is first used, which Clone counts as.
	_, h2 := given.TLSNextProto["h2"]
	if t.Protocols == nil {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(h2)
	}
	if h2 {
		// An HTTP/2 that was installed from outside has one pool for all that share it, and its connections are found by
		// the name of the host: one endpoint's would serve another.
		t.TLSNextProto = nil
	}
	return t
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

// For is the transport for the endpoint n.
func (p *Pool) For(n *stack.Node) http.RoundTripper {
	return stack.Slot(n, p, p.make).rt
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
	if tls := t.TLSClientConfig; tls != nil {
		// Clone leaves the list shared, and net/http writes into it when a transport is first used.
		tls.NextProtos = slices.Clone(tls.NextProtos)
	}
	t.DialContext = p.pin(n)
	t.DialTLSContext = p.pinTLS(n)
	t.Dial, t.DialTLS = nil, nil //nolint:staticcheck // the two above have taken their place
	e := &endpointTransport{transport: t, rt: t}
	if p.wrap != nil {
		e.rt = p.wrap(t)
	}
	return e
}

type dialContext = func(ctx context.Context, network, addr string) (net.Conn, error)

// pin is a dial function that goes to the endpoint, whatever the host of the request.
func (p *Pool) pin(n *stack.Node) dialContext {
	if p.dial != nil {
		return func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx, n.Endpoint()) }
	}
	dial := p.base.DialContext
	if dial == nil {
		dial = withoutContext(p.base.Dial) //nolint:staticcheck // a caller's transport may still have it
	}
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout}).DialContext
	}
	return to(n, dial)
}

// pinTLS does the same for a transport that makes its TLS connections itself; nil for one that does not, and where
// Config.Dial opens the connections, which does no TLS.
func (p *Pool) pinTLS(n *stack.Node) dialContext {
	dial := p.base.DialTLSContext
	if dial == nil {
		dial = withoutContext(p.base.DialTLS) //nolint:staticcheck // a caller's transport may still have it
	}
	if dial == nil || p.dial != nil {
		return nil
	}
	return to(n, dial)
}

func to(n *stack.Node, dial dialContext) dialContext {
	network, addr := "tcp", n.Addr()
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, network, addr) }
}

func withoutContext(dial func(network, addr string) (net.Conn, error)) dialContext {
	if dial == nil {
		return nil
	}
	return func(_ context.Context, network, addr string) (net.Conn, error) { return dial(network, addr) }
}
