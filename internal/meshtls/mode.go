package meshtls

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// Mode is how connections are secured that t is for: as it says, else by the client's identity. It is empty where neither
// says anything, and the caller decides.
func (c *Client) Mode(t *traffic.TLS) traffic.TLSMode {
	if t != nil && t.Mode != "" {
		return t.Mode
	}
	if c.id != nil {
		return traffic.TLSMesh
	}
	return ""
}

// Config is the TLS config for the node by the settings of now, see [Client.ConfigBy].
func (c *Client) Config(n *stack.Node) (*tls.Config, error) { return c.ConfigBy(n, n.Settings().TLS) }

// ConfigBy is the TLS config for the node under t, or an error if it cannot be known who should answer there. It is nil where
// no TLS is to be spoken, or where that is the caller's to say.
func (c *Client) ConfigBy(n *stack.Node, t *traffic.TLS) (*tls.Config, error) {
	switch mode := c.Mode(t); mode {
	case "", traffic.TLSDisable:
		return nil, nil
	case traffic.TLSMesh:
		return c.mesh(n, t)
	case traffic.TLSSimple, traffic.TLSMutual:
		return plain(mode, t, cmp.Or(t.ServerName, stack.SplitPort(n.Service())))
	default:
		return nil, fmt.Errorf("intramesh: TLS mode %q of %s is not known", mode, n.Service())
	}
}

// Check reports why connections under t could not be made, as far as that can be known before.
func (c *Client) Check(t *traffic.TLS) error {
	if t == nil {
		return nil
	}
	switch mode := c.Mode(t); mode {
	case traffic.TLSMesh:
		if c.id == nil {
			return fmt.Errorf("TLS mode %q needs Config.Identity", mode)
		}
		return identities(t.Names)
	case traffic.TLSSimple, traffic.TLSMutual:
		_, err := plain(mode, t, "")
		return err
	case "":
		if t.ServerName != "" || len(t.Names) > 0 {
			return errors.New("ServerName and Names need a TLS mode, or Config.Identity")
		}
	}
	return nil
}

// identities checks the names of those that a mesh destination may be.
func identities(names []string) error {
	for i, name := range names {
		if x, err := security.Expect(name); err != nil || !x.Exact() {
			return fmt.Errorf("field Names[%d]: %q is not an identity of the mesh, as spiffe://shop/orders", i, name)
		}
	}
	return nil
}
