package stack

import (
	"context"

	"github.com/intramesh/intramesh/security"
)

// PeerKey is where server.PeerFrom looks: for a [*security.Peer], or for what knows one.
type PeerKey struct{}

// WithPeer puts the peer of a request into its context, where the connection's does not say it.
func WithPeer(ctx context.Context, p *security.Peer) context.Context {
	return context.WithValue(ctx, PeerKey{}, p)
}
