package clientgrpc

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/internal/meshtls"
	"github.com/intramesh/intramesh/internal/stack"
)

// Connecting again after a failure, as for every other back-off towards servers: 1 s x1.6 +-20 % up to 30 s. A connection
// attempt is given 10 s.
var connectParams = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 30 * time.Second},
	MinConnectTimeout: 10 * time.Second,
}

// maxAttempts is how many attempts grpc may make of a stream; the policy stops it before, see picker.go.
const maxAttempts = 16

// DialOptions are the options for grpc.NewClient with a target of the scheme mesh ("mesh:///orders"): the interceptors of
// [Interceptors], a resolver and a balancer that take their endpoints from c, no proxy, and where c has an identity the
// credentials that prove it and verify each endpoint's. Without one the credentials are the caller's to give.
//
// Options that come after them win, except for credentials beside an identity: such a connection is refused.
//
// The balancer is chosen by the service config, so grpc.WithDisableServiceConfig must not be used, and a default service
// config of the caller's own has no effect.
func DialOptions(c *client.Client) []grpc.DialOption {
	d := &dialer{client: c, core: c.Core(), config: c.Config()}
	d.tls = meshtls.New(d.config.Identity, d.config.ServerID, false, d.config.Logger)
	opts := append(d.interceptors(),
		grpc.WithResolvers(&resolverBuilder{d}),
		grpc.WithNoProxy(),
		grpc.WithConnectParams(connectParams),
		grpc.WithMaxCallAttempts(maxAttempts),
	)
	if d.config.Dial != nil {
		opts = append(opts, grpc.WithContextDialer(d.dial))
	}
	if d.tls != nil {
		opts = append(opts, grpc.WithTransportCredentials(identity{d.tls, &d.vouched}))
	}
	return opts
}

// Interceptors are the options that put the policy on a connection with any target. Each target is a destination of its
// own, named by its endpoint part: "orders:9000" for "dns:///orders:9000". Which endpoint takes an attempt, the credentials,
// and what grpc's own service config says of retries stay as they are; streams are not repeated once they are open.
func Interceptors(c *client.Client) []grpc.DialOption {
	d := &dialer{client: c, core: c.Core(), config: c.Config(), direct: true}
	return d.interceptors()
}

// dialer is what all connections made with one set of options share.
type dialer struct {
	client *client.Client
	core   *stack.Client
	config client.Config
	tls    *meshtls.Client // nil without an identity
	direct bool            // the endpoints are grpc's own matter

	vouched vouched
}

func (d *dialer) interceptors() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(d.unary), grpc.WithChainStreamInterceptor(d.stream)}
}

// dial is Config.Dial as grpc calls it: the endpoint comes with the address's attributes.
func (d *dialer) dial(ctx context.Context, addr string) (net.Conn, error) {
	info := credentials.ClientHandshakeInfoFromContext(ctx)
	if n, ok := info.Attributes.Value(nodeKey{}).(*stack.Node); ok {
		return d.config.Dial(ctx, n.Endpoint())
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
}
