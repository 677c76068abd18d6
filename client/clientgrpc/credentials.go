package clientgrpc

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/intramesh/intramesh/internal/meshtls"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// identity is the transport credentials of a client with an identity: mutual TLS, and each endpoint has to prove who it
// is. Which endpoint it is comes with the address's attributes.
type identity struct {
	tls     *meshtls.Client
	vouched *vouched
}

var errNoTLS = errors.New("clientgrpc: grpc's TLS credentials say nothing of TLS")

var errNoEndpoint = errors.New("clientgrpc: these credentials are only for endpoints that the mesh chose")

// ClientHandshake is called by grpc for every connection.
func (i identity) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	asked := credentials.ClientHandshakeInfoFromContext(ctx)
	if asked.Attributes == nil {
		return nil, nil, errNoEndpoint
	}
	n, ok := asked.Attributes.Value(nodeKey{}).(*stack.Node)
	if !ok {
		return nil, nil, errNoEndpoint
	}
	cfg, err := i.tls.Config(n)
	if err != nil {
		return nil, nil, err
	}
	if cfg == nil { // the policy says so
		return insecure.NewCredentials().ClientHandshake(ctx, authority, raw)
	}
	conn, auth, err := credentials.NewTLS(cfg).ClientHandshake(ctx, authority, raw)
	if err != nil {
		return nil, nil, security.Refusal(err)
	}
	info, ok := auth.(credentials.TLSInfo)
	if !ok {
		return nil, nil, errNoTLS // not of credentials.NewTLS
	}
	return &judged{conn}, TLSInfo{TLSInfo: info, service: n.Service(), destination: n.Destination(), vouched: i.vouched}, nil
}

// judged is a connection that the server may still refuse: in TLS 1.3 the client's handshake is done before the server has
// seen its certificate, and the alert comes in the place of the first answer.
type judged struct{ net.Conn }

func (j *judged) Read(p []byte) (int, error) {
	n, err := j.Conn.Read(p)
	if err != nil {
		err = security.Refusal(err)
	}
	return n, err
}

// ServerHandshake is not for clients.
func (identity) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("clientgrpc: not a server's credentials")
}

// Info is what grpc asks before it lets call credentials pass.
func (identity) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls", SecurityVersion: "1.3"} //nolint:staticcheck // grpc's own fill it in too
}

// Clone has nothing to copy.
func (i identity) Clone() credentials.TransportCredentials { return i }

// OverrideServerName has no effect: the endpoint's identity is what counts, not a name.
func (identity) OverrideServerName(string) error { return nil }
