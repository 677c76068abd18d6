package servergrpc

import (
	"context"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/server"
)

// identity is grpc's own TLS with the config of a server that has an identity. Its connections are followed, and say of
// themselves what grpc's say.
type identity struct {
	credentials.TransportCredentials

	core *stack.Server
}

func newIdentity(s *server.Server) credentials.TransportCredentials {
	return identity{credentials.NewTLS(s.TLSConfig()), s.Core()}
}

// ServerHandshake is called by grpc for every connection.
func (i identity) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secured, info, err := i.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	c := newConn(secured, raw, info, i.core.Warden)
	i.core.Warden.Watch(c)
	return c, info, nil
}

// Clone has nothing of its own to copy.
func (i identity) Clone() credentials.TransportCredentials {
	return identity{i.TransportCredentials.Clone(), i.core}
}

// authenticate judges the client of a call's connection, whoever's credentials made it.
func authenticate(ctx context.Context, id security.Identity) (*security.Peer, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return security.VerifyClient(id, nil)
	}
	return verify(p.AuthInfo, id)
}

func verify(info credentials.AuthInfo, id security.Identity) (*security.Peer, error) {
	t, ok := info.(credentials.TLSInfo)
	if !ok {
		return security.VerifyClient(id, nil)
	}
	return security.VerifyClient(id, &t.State)
}
