package meshtls

import (
	"cmp"
	"crypto/tls"
	"fmt"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// Mode is how connections to the node are secured: as the policy says, else by the client's identity. It is empty where
// neither says anything, and the caller decides.
func (c *Client) Mode(n *stack.Node) traffic.TLSMode { return c.mode(n.Settings().TLS) }

func (c *Client) mode(t *traffic.TLS) traffic.TLSMode {
	if t != nil && t.Mode != "" {
		return t.Mode
	}
	if c.id != nil {
		return traffic.TLSMesh
	}
	return ""
}

// Basis is what a connection to a node was made by. One that was made by another than the present is to be replaced.
type Basis struct {
	material *security.Material
	settings *traffic.TLS
}

// Basis is the present one for the node.
func (c *Client) Basis(n *stack.Node) Basis {
	return Basis{material: c.Material(), settings: n.Settings().TLS}
}

// Config is the TLS config for the node, or an error if it cannot be known who should answer there. It is nil where no TLS
// is to be spoken, or where that is the caller's to say.
func (c *Client) Config(n *stack.Node) (*tls.Config, error) {
	t := n.Settings().TLS
	switch mode := c.mode(t); mode {
	case "", traffic.TLSDisable:
		return nil, nil
	case traffic.TLSMesh:
		return c.mesh(n)
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
	switch mode := c.mode(t); mode {
	case traffic.TLSMesh:
		if c.id == nil {
			return fmt.Errorf("TLS mode %q needs Config.Identity", mode)
		}
	case traffic.TLSSimple, traffic.TLSMutual:
		_, err := plain(mode, t, "")
		return err
	}
	return nil
}
