package clientgrpc

import (
	"cmp"
	"context"
	"errors"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/internal/meshtls"
	"github.com/intramesh/intramesh/security"
)

// Credentials are transport credentials by which each connection is secured as c has it for its destination, for targets of
// the scheme mesh:
//
//   - as its policy says (traffic.TLS): disable, simple, mutual or mesh. A change of policy secures new connections so, and no
//     call begins on one that is secured in another way;
//   - where the policy says nothing, by mutual TLS with the client's identity;
//   - where there is no identity either, not at all: PLAIN TEXT, as with grpc's insecure credentials.
//
// [DialOptions] bring them where c has an identity. Without one they are to be asked for, in the place of the caller's own:
// calls that a policy secures are refused where the credentials are not these, since the policy could not act on those.
//
// They do nothing for other targets: such a connection fails. Call credentials that require a secure transport are sent
// over TLS alone, whatever the policy says.
func Credentials(c *client.Client) credentials.TransportCredentials { return meshed{c} }

// meshed are the credentials of one client. Which endpoint a connection is for comes with its address.
type meshed struct{ client *client.Client }

var errNoTLS = errors.New("clientgrpc: grpc's TLS credentials say nothing of TLS")

var errNoEndpoint = errors.New("clientgrpc: these credentials are only for endpoints that the mesh chose")

// ClientHandshake is called by grpc for every connection.
func (m meshed) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c := connOf(ctx)
	if c == nil || c.group.lb.feed.dialer.client != m.client {
		return nil, nil, errNoEndpoint
	}
	feed, t := c.group.lb.feed, c.terms.Load().of.TLS
	if feed.tls == nil || feed.tls.Mode(t) == "" || feed.tls.Mode(t) == traffic.TLSDisable {
		return insecure.NewCredentials().ClientHandshake(ctx, authority, raw)
	}
	cfg, err := feed.tls.ConfigBy(c.node, t)
	if err != nil {
		return nil, nil, err
	}
	// What grpc's credentials send and verify is the authority, whatever the config says.
	conn, auth, err := credentials.NewTLS(cfg).ClientHandshake(ctx, cmp.Or(cfg.ServerName, authority), raw)
	if err != nil {
		return nil, nil, security.Refusal(err)
	}
	info, ok := auth.(credentials.TLSInfo)
	if !ok {
		return nil, nil, errNoTLS // not of credentials.NewTLS
	}
	return &judged{conn}, c.proved(info, feed.tls.Mode(t)), nil
}

// proved is what a server has proved that the handshake was done with. By its name alone nobody has said that it speaks for
// the service.
func (c *conn) proved(info credentials.TLSInfo, mode traffic.TLSMode) TLSInfo {
	t := TLSInfo{TLSInfo: info, destination: c.node.Destination()}
	if mode == traffic.TLSMesh {
		t.service, t.vouched = c.node.Service(), &c.group.lb.feed.dialer.vouched
	}
	return t
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
func (meshed) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("clientgrpc: not a server's credentials")
}

// Info is what grpc asks before it lets call credentials pass, and then once more for each connection, whose own security
// counts. It is asked for all connections at once, so "tls" stands for what may be TLS.
func (m meshed) Info() credentials.ProtocolInfo {
	cfg := m.client.Config()
	if cfg.Identity == nil && cfg.Traffic == nil {
		return insecure.NewCredentials().Info()
	}
	return credentials.ProtocolInfo{SecurityProtocol: "tls", SecurityVersion: "1.3"} //nolint:staticcheck // grpc's own fill it in too
}

// Clone has nothing to copy.
func (m meshed) Clone() credentials.TransportCredentials { return m }

// OverrideServerName has no effect: what counts is the endpoint's identity, or the names that the policy gives.
func (meshed) OverrideServerName(string) error { return nil }

// tlsOf says how the connections of a client are secured; nil where neither an identity nor a policy can say anything of it.
func tlsOf(cfg client.Config) *meshtls.Client {
	return meshtls.New(cfg.Identity, cfg.ServerID, cfg.Traffic != nil, cfg.Logger)
}
