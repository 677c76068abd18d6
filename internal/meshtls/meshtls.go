// Package meshtls says with which TLS a client speaks to an endpoint: mutual, and only with who the endpoint has to be; or
// as its policy says.
package meshtls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// Client makes the TLS configs of one mesh client. A nil *Client stands for a client without an identity whose policy cannot
// say anything of TLS.
type Client struct {
	id       security.Identity
	serverID func(service string) string
	log      *slog.Logger
}

// New is nil where there is no id, and the client is not routed by a policy: connections are then as the caller's own
// transport makes them. serverID may be nil, and is then the source's to say.
func New(id security.Identity, serverID func(service string) string, routed bool, log *slog.Logger) *Client {
	if id == nil && !routed {
		return nil
	}
	return &Client{id: id, serverID: serverID, log: log}
}

// ErrNobody is why an endpoint is not connected to: a member of the trust domain is not enough unless that is said.
var ErrNobody = errors.New("neither its source nor Config.ServerID says which identity to expect")

// Expect is what an endpoint of service must prove. A source can narrow what the config says and never widen it; one that
// stands alone must name an identity, not a trust domain.
func (c *Client) Expect(service string, e discovery.Endpoint) (security.Expectation, error) {
	var of []security.Expectation
	if c.serverID != nil {
		if id := c.serverID(service); id != "" {
			x, err := security.Expect(id)
			if err != nil {
				return x, fmt.Errorf("Config.ServerID(%q): %w", service, err)
			}
			of = append(of, x)
		}
	}
	if e.ID != "" {
		x, err := security.Expect(e.ID)
		if err != nil {
			return x, err
		}
		if len(of) == 0 && !x.Exact() {
			return x, fmt.Errorf("%w: the source says %s, which is a trust domain", ErrNobody, x)
		}
		of = append(of, x)
	}
	switch len(of) {
	case 0:
		return security.Expectation{}, ErrNobody
	case 1:
		return of[0], nil
	}
	both := of[0].Narrow(of[1])
	if both.IsZero() {
		return both, fmt.Errorf("the source expects %s, Config.ServerID %s", of[1], of[0])
	}
	return both, nil
}

// Material is the identity of now; nil without one. What was connected with another one is to be replaced: see
// security.Identity.
func (c *Client) Material() *security.Material {
	if c.id == nil {
		return nil
	}
	m, _ := c.id.Watch()
	return m
}

// Changed is closed when Material has been replaced; nil without an identity.
func (c *Client) Changed() <-chan struct{} {
	if c.id == nil {
		return nil
	}
	_, changed := c.id.Watch()
	return changed
}

// errOther is why a server is refused that is who the mesh expects, but not one of those that the policy names.
var errOther = errors.New("intramesh: the server is none of those that the policy names")

// mesh is the TLS config for a node that has to prove an identity, or an error if it cannot be known which. The policy can
// narrow who that may be.
func (c *Client) mesh(n *stack.Node, t *traffic.TLS) (*tls.Config, error) {
	if c.id == nil {
		return nil, fmt.Errorf("intramesh: endpoint %s of %s: TLS mode %q needs Config.Identity", n.Addr(), n.Service(), traffic.TLSMesh)
	}
	e := n.Endpoint()
	x, err := c.Expect(n.Service(), e)
	if err != nil {
		return nil, fmt.Errorf("intramesh: endpoint %s of %s: %w", e.Addr, n.Service(), err)
	}
	cfg := security.ClientTLS(c.id, x, c.refused(n))
	verify := cfg.VerifyConnection
	var names []string
	if t != nil {
		cfg.ServerName, names = t.ServerName, t.Names
	}
	cfg.VerifyConnection = func(state tls.ConnectionState) error {
		if err := verify(state); err != nil {
			return err
		}
		p, err := security.PeerOf(state)
		if len(names) > 0 && (err != nil || !slices.Contains(names, p.String())) {
			return errOther
		}
		if err == nil {
			n.Proved(p.String())
		}
		return nil
	}
	return cfg, nil
}

// refused logs the servers that this process does not accept: they never learn the reason.
func (c *Client) refused(n *stack.Node) security.Observer {
	return func(e *security.HandshakeError) {
		c.log.LogAttrs(context.Background(), slog.LevelWarn, "intramesh: server refused",
			slog.String("service", n.Service()), slog.String("endpoint", n.Addr()), slog.String("reason", string(e.Reason)),
			slog.String("peer", e.PeerID), slog.Any("error", e))
	}
}
