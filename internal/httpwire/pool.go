package httpwire

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/meshtls"
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

// PoolConfig says how a [Pool] connects; every field may be nil.
type PoolConfig struct {
	// Dial opens connections, without TLS, in the place of the base's own dialer.
	Dial DialFunc
	// Wrap is put around every transport.
	Wrap func(http.RoundTripper) http.RoundTripper
	// TLS is what every connection uses, in the place of the base's own TLS settings.
	TLS *meshtls.Client
}

// Pool holds one transport for each endpoint, whose connections all go there.
type Pool struct {
	base *http.Transport // what the transports are cloned from; never used itself
	cfg  PoolConfig
	make func(*stack.Node) *endpointTransport // build, bound once and not at every call
}

// NewPool makes transports after base, with its limits and dial settings but without its proxy; a nil base stands for
// the settings above.
func NewPool(base *http.Transport, cfg PoolConfig) *Pool {
	if base == nil {
		base = standard()
	} else {
		base = template(base)
	}
	if cfg.TLS != nil && base.Protocols != nil && base.Protocols.UnencryptedHTTP2() {
		base.Protocols.SetHTTP2(true) // what was to be HTTP/2 without TLS is HTTP/2 with it
	}
	p := &Pool{base: base, cfg: cfg}
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

// endpoint is what a pool keeps for one node.
type endpoint interface {
	http.RoundTripper
	CloseIdleConnections()
}

type endpointTransport struct {
	endpoint endpoint
	rt       http.RoundTripper // endpoint, as Wrap has it
}

// Close gives back idle connections; those in use go on.
func (t *endpointTransport) Close() error {
	t.endpoint.CloseIdleConnections()
	return nil
}

func (p *Pool) build(n *stack.Node) *endpointTransport {
	var e endpoint
	if p.cfg.TLS != nil {
		e = &renewed{pool: p, node: n}
	} else {
		e = p.transport(n)
	}
	if p.cfg.Wrap != nil {
		return &endpointTransport{endpoint: e, rt: p.cfg.Wrap(e)}
	}
	return &endpointTransport{endpoint: e, rt: e}
}

// transport is a clone of base that is pinned to the endpoint.
func (p *Pool) transport(n *stack.Node) *http.Transport {
	t := p.base.Clone()
	if tls := t.TLSClientConfig; tls != nil {
		// Clone leaves the list shared, and net/http writes into it when a transport is first used.
		tls.NextProtos = slices.Clone(tls.NextProtos)
	}
	t.DialContext = p.pin(n)
	t.DialTLSContext = p.pinTLS(n)
	t.Dial, t.DialTLS = nil, nil //nolint:staticcheck // the two above have taken their place
	return t
}

type dialContext = func(ctx context.Context, network, addr string) (net.Conn, error)

// pin is a dial function that goes to the endpoint, whatever the host of the request.
func (p *Pool) pin(n *stack.Node) dialContext {
	if p.cfg.Dial != nil {
		return func(ctx context.Context, _, _ string) (net.Conn, error) { return p.cfg.Dial(ctx, n.Endpoint()) }
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
	if dial == nil || p.cfg.Dial != nil {
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
