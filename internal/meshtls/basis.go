package meshtls

import (
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/security"
)

// Basis is what connections are made by. All of it comes from one look at the settings: what is half of one and half of
// another would be kept. Connections that were made by another one are to be replaced; two can be compared by ==.
type Basis struct {
	Material    *security.Material // nil without an identity
	TLS         *traffic.TLS
	Connections *traffic.Connections
}

// Basis is that of now, under the settings of a destination.
func (c *Client) Basis(s *traffic.Settings) Basis {
	b := Basis{TLS: s.TLS, Connections: s.Connections}
	if c != nil {
		b.Material = c.Material()
	}
	return b
}
