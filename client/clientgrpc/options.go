package clientgrpc

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/internal/meshtls"
	"github.com/intramesh/intramesh/internal/stack"
)

// connectParams are how often grpc connects again after a failure, as for every other back-off towards servers: 1 s x1.6
// +-20 % up to 30 s. A connection attempt is given that long.
func connectParams(limit time.Duration) grpc.ConnectParams {
	return grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 30 * time.Second},
		MinConnectTimeout: limit,
	}
}

// longestConnect bounds the attempts where a policy may say how long they take, which is then seen to by our own dialer. It
// is about the time in which TCP itself gives up.
const longestConnect = 2 * time.Minute

// maxAttempts is how many attempts grpc may make of a stream; the policy stops it before, see picker.go.
const maxAttempts = 16

// DialOptions are the options for grpc.NewClient with a target of the scheme mesh ("mesh:///orders"): the interceptors of
// [Interceptors], a resolver and a balancer that take their endpoints from c, no proxy, and where c has an identity the
// credentials that prove it and verify each endpoint's. Without one the credentials are the caller's to give, or
// [Credentials], by which the policy for each destination says how connections are secured.
//
// Options that come after them win, except for credentials beside an identity: such a connection is refused. With a dialer
// of the caller's own (grpc.WithContextDialer) its connections are as it makes them: Config.Dial is passed over, and what a
// policy says of ConnectTimeout and Keepalive. One that is given before them has no effect where c has Config.Dial or
// Config.Traffic: Config.Dial is the place for it.
//
// The balancer is chosen by the service config, so grpc.WithDisableServiceConfig must not be used, and a default service
// config of the caller's own has no effect.
func DialOptions(c *client.Client) []grpc.DialOption {
	d := &dialer{client: c, core: c.Core(), config: c.Config()}
	d.tls = tlsOf(d.config)
	limit := connectTimeout
	if d.config.Traffic != nil {
		limit = longestConnect
	}
	opts := append(d.interceptors(),
		grpc.WithResolvers(&resolverBuilder{d}),
		grpc.WithNoProxy(),
		grpc.WithConnectParams(connectParams(limit)),
		grpc.WithMaxCallAttempts(maxAttempts),
	)
	if d.config.Dial != nil || d.config.Traffic != nil {
		opts = append(opts, grpc.WithContextDialer(d.dial))
	}
	if d.config.Identity != nil {
		opts = append(opts, grpc.WithTransportCredentials(Credentials(c)))
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
	tls    *meshtls.Client // nil without an identity and a policy
	direct bool            // the endpoints are grpc's own matter

	vouched vouched
}

func (d *dialer) interceptors() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(d.unary), grpc.WithChainStreamInterceptor(d.stream)}
}
