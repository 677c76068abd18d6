package client

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/httpwire"
	"github.com/intramesh/intramesh/internal/meshtls"
)

// Transport returns a [http.RoundTripper] that sends mesh calls to their service's endpoints and everything else to base,
// untouched. A nil base is [http.DefaultTransport].
//
// If base is an *http.Transport, the connections to endpoints take its limits, protocols, TLS and dial settings, without
// its proxy. Otherwise, and where base is nil, they have settings of their own: connections are made within 10 s, and up to
// 256 an endpoint are kept while idle, for 60 s. Make the transport once and keep it: it holds a pool for each endpoint.
//
// The contract of RoundTripper holds: the request is not changed, its body is closed, an error means no response.
func (c *Client) Transport(base http.RoundTripper) http.RoundTripper {
	t := &transport{client: c, base: base}
	t.tls = meshtls.New(c.cfg.Identity, c.cfg.ServerID, c.cfg.Traffic != nil, c.cfg.Logger)
	own, _ := base.(*http.Transport)
	t.pool = httpwire.NewPool(own, httpwire.PoolConfig{
		Dial: c.cfg.Dial, Wrap: c.cfg.WrapAttempt, TLS: t.tls,
	})
	if base == nil {
		t.base = http.DefaultTransport
	}
	t.direct = t.base
	if c.cfg.WrapAttempt != nil {
		t.direct = c.cfg.WrapAttempt(t.base)
	}
	return t
}

type transport struct {
	client *Client
	base   http.RoundTripper
	direct http.RoundTripper // base, as attempts at destinations without discovery see it
	pool   *httpwire.Pool
	tls    *meshtls.Client // nil without identity and policy
}

var errNoDiscovery = errors.New("client: a mesh:// URL needs Config.Discovery")

// RoundTrip makes one call, with all its attempts.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil {
		return t.base.RoundTrip(req) // which knows what to say
	}
	service, mesh := t.client.mesh.service(req.URL)
	if !mesh {
		return t.base.RoundTrip(req)
	}
	x := &exchange{transport: t, req: req}
	x.Wire, x.Protocol = x, call.HTTP
	x.Ctx, x.Service, x.Method = req.Context(), service, cmp.Or(req.Method, http.MethodGet)
	x.Direct = t.client.cfg.Discovery == nil
	if x.Direct && req.URL.Scheme == "mesh" {
		return nil, x.invalid(call.FailedPrecondition, errNoDiscovery)
	}
	if err := fit(req); err != nil {
		return nil, x.invalid(call.InvalidArgument, err)
	}
	x.Idempotent = idempotent(req)
	return x.do()
}

// invalid is the error for a call that cannot be made as it was asked for.
func (x *exchange) invalid(code call.Code, err error) error {
	x.closeRequest()
	return convert(&call.Error{Service: x.Service, Method: x.Method, Reason: call.Invalid, Code: code, Err: err})
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] asks for.
func (t *transport) CloseIdleConnections() {
	t.client.core.CloseIdle(t.pool)
	if ic, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		ic.CloseIdleConnections()
	}
}

// idempotent holds what HTTP itself says of a request (RFC 9110, 9.2.2), and the header by which a client says so
// (Idempotency-Key, an IETF draft that payment APIs use; net/http knows it too).
func idempotent(req *http.Request) bool {
	switch cmp.Or(req.Method, http.MethodGet) {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	_, key := req.Header["Idempotency-Key"]
	if !key {
		_, key = req.Header["X-Idempotency-Key"]
	}
	return key
}
