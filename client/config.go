package client

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/telemetry"
)

// Config says what a [Client] does. Every field stands alone: one that is left empty adds nothing and costs nothing.
type Config struct {
	// Discovery tells where services are. Without it every authority is a destination of its own with one endpoint,
	// reached by the caller's own transport or gRPC resolver; deadlines, retries and budgets work all the same.
	Discovery discovery.Source
	// Hosts are further names that are mesh services when they stand in an http or https URL: exact ("orders"), or a
	// suffix that starts with a dot (".mesh.internal"). The scheme mesh:// is always the mesh, and so are the names that
	// a [discovery.Lister] lists when the client is made. Needs Discovery.
	Hosts []string
	// Traffic says where calls to the mesh go and how each destination is treated: a traffic.Policy, or a source of them
	// that changes while the client runs. A policy that cannot be honoured is an error of [New]; later the last good one
	// stays in force. Its conditions see what the caller asked for. What is about endpoints and the connections to them
	// (TLS, Connections, Balance, Locality, subsets, other services) needs Discovery. Nil: every call goes to the service
	// that it names.
	Traffic traffic.Source
	// Local is what is known of this process, for conditions on the source and for nearness. Without Traffic nothing asks for
	// it.
	Local traffic.Local
	// Resilience is the policy for each service: time limits, retries, budgets, breakers, outlier detection. SetResilience
	// replaces it.
	Resilience resilience.Config
	// Identity is who this process is and whom it trusts. With it every connection to a mesh endpoint is mutual TLS, over
	// both protocols and whatever the scheme of the URL; a mesh destination never falls back to plain text. Without it HTTP
	// follows the URL's scheme, and gRPC has the credentials of the caller's own, or clientgrpc.Credentials; a policy says more,
	// see Traffic. Needs Discovery.
	Identity security.Identity
	// ServerID is the identity that the endpoints of a service must prove: "spiffe://shop/orders", or "spiffe://shop" where
	// membership of the trust domain is enough; "" leaves it to the source, see discovery.Endpoint. Where both say
	// something, both must be met. An endpoint of which nothing is known is not connected to. Needs Identity.
	ServerID func(service string) string
	// Balance is how an endpoint is picked. Empty: least request, by power of two choices.
	Balance balance.Algorithm
	// Warmup bounds how long a call waits for the first answer of the registry about a service; the call's own deadline
	// bounds it too. 0: 5 s; negative: not at all.
	Warmup time.Duration
	// Dial opens connections to endpoints, for both protocols: unix sockets, tests. It does no TLS. Nil: TCP, or a unix
	// socket where the address says "unix:/path".
	Dial func(ctx context.Context, e discovery.Endpoint) (net.Conn, error)
	// WrapAttempt wraps the transport of every endpoint, for those who need to see each HTTP attempt. The host of the
	// request that it sees is the service's; the endpoint is in the connection.
	WrapAttempt func(http.RoundTripper) http.RoundTripper
	// ReplayBuffer is the number of bytes of an HTTP request body without GetBody that are kept for a retry; a longer
	// body is sent once. 0: 64 KiB; negative: none.
	ReplayBuffer int64
	// WarmConns is the number of gRPC connections that a grpc.ClientConn keeps ready ahead of calls; others are made
	// when an endpoint is first chosen. 0: 16; negative: none.
	WarmConns int
	// Telemetry makes spans, metrics and trace headers of calls. One value may serve clients and servers. Nil: none.
	Telemetry *telemetry.Telemetry
	// Logger hears of what changes: endpoints that appear, go, are ejected and readmitted, sources that fail, breakers that
	// open and close. Nil: [slog.Default].
	Logger *slog.Logger
}
