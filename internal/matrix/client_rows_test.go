package matrix

import (
	"context"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
	"github.com/intramesh/intramesh/telemetry"
)

// row sets one field, or none.
type row struct {
	field     string
	client    func(*client.Config, *world)
	options   *client.Options
	server    func(*server.Config, *world)
	transport *servergrpc.Transport
	source    discovery.Source             // in the place of a static one, where the client is given a source
	beside    func(*client.Config, *world) // what the field cannot be without
	secure    bool                         // both sides of the pair speak mutual TLS
	wirings   []wiring
	differs   func(k cell, want, got *exchange) // what was asked for; nil: nothing
}

var (
	bothClients = []wiring{direct, meshed}
	withSource  = []wiring{meshed}
)

// clientRows has a row for each field of client.Config. The parts of a policy count as fields.
var clientRows = []row{
	{field: "", wirings: []wiring{direct, meshed, both}},
	{
		field: "Discovery", wirings: withSource,
		client: func(c *client.Config, _ *world) { c.Discovery = orders(peerAddr) },
	},
	{
		field: "Hosts", wirings: withSource, source: unlisted{orders(peerAddr)}, // New refuses it without a source
		client: func(c *client.Config, _ *world) { c.Hosts = []string{"orders"} },
	},
	{
		field: "Identity", wirings: withSource, source: proven, secure: true, // although the URLs say http
		client: func(c *client.Config, w *world) { c.Identity = w.identity(callerID) },
	},
	{
		field: "ServerID", wirings: withSource, secure: true, // New refuses it without an identity
		client: func(c *client.Config, _ *world) { c.ServerID = func(string) string { return peerID } },
		beside: func(c *client.Config, w *world) { c.Identity = w.identity(callerID) },
	},
	{
		field: "Traffic", wirings: bothClients, // a route that leads where the call goes anyway
		client: func(c *client.Config, _ *world) {
			c.Traffic = traffic.Policy{Routes: []traffic.Route{{Name: "all"}}}
		},
	},
	{
		field: "Local", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.Local = traffic.Local{Zone: "here"} },
	},
	{
		field: "Resilience.Default.Timeout", wirings: bothClients,
		client: func(c *client.Config, _ *world) {
			c.Resilience.Default.Timeout = &resilience.Timeout{Reply: time.Second, Idle: time.Minute}
		},
		differs: givesUp,
	},
	{
		field: "Resilience.Default.Retry", wirings: bothClients,
		client:  func(c *client.Config, _ *world) { c.Resilience.Default.Retry = retryAll() },
		differs: repeats,
	},
	{
		field: "Resilience.Default.Budget", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.Resilience.Default.Budget = &resilience.Budget{} },
	},
	{
		// One failure is not enough to open a breaker, nor to eject an endpoint: by default it takes 20 and 5.
		field: "Resilience.Default.Breaker", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.Resilience.Default.Breaker = &resilience.Breaker{} },
	},
	{
		field: "Resilience.Default.Outlier", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.Resilience.Default.Outlier = &resilience.Outlier{} },
	},
	{
		field: "Resilience.Default.Limit", wirings: bothClients,
		client: func(c *client.Config, _ *world) {
			c.Resilience.Default.Limit = &resilience.Limit{Connections: 1, Requests: 1, Retries: 1}
		},
	},
	{
		field: "Resilience.Services", wirings: bothClients, // the policy of another service is nobody else's
		client: func(c *client.Config, _ *world) {
			c.Resilience.Services = map[string]resilience.Policy{"stock": {
				Timeout: &resilience.Timeout{Reply: time.Second, Idle: time.Minute}, Retry: retryAll(),
			}}
		},
	},
	{
		field: "Balance", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.Balance = balance.RoundRobin },
	},
	{
		field: "Warmup", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.Warmup = time.Second },
	},
	{
		field: "Dial", wirings: bothClients,
		client:  func(c *client.Config, w *world) { c.Dial = dialling(w) },
		differs: dialsEndpoints,
	},
	{
		field: "WrapAttempt", wirings: bothClients,
		client:  func(c *client.Config, w *world) { c.WrapAttempt = counted(w) },
		differs: seesAttempts,
	},
	{
		field: "ReplayBuffer", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.ReplayBuffer = -1 },
	},
	{
		field: "WarmConns", wirings: bothClients,
		client: func(c *client.Config, _ *world) { c.WarmConns = -1 },
	},
	{
		field: "Telemetry", wirings: bothClients, // metrics alone: what traces send is package telemetry's to test
		client: func(c *client.Config, _ *world) { c.Telemetry = measured() },
	},
	{
		field: "Logger", wirings: bothClients,
		client:  func(c *client.Config, w *world) { c.Logger = w.logger() },
		differs: func(_ cell, want, _ *exchange) { want.Logs, want.Own = nil, want.Logs },
	},
}

// optionRows has a row for each field of client.Options, on a client whose Config is empty.
var optionRows = []row{
	{field: "Idempotent", wirings: bothClients, options: &client.Options{Idempotent: true}},
	{field: "Timeout", wirings: bothClients, options: &client.Options{Timeout: callersDeadline}, differs: hasTime},
	{field: "HashKey", wirings: bothClients, options: &client.Options{HashKey: "user 7"}},
	{field: "NoRetry", wirings: bothClients, options: &client.Options{NoRetry: true}},
	{field: "Info", wirings: bothClients, options: &client.Options{Info: new(client.Info)}},
}

// measured counts and measures, into nothing.
func measured() *telemetry.Telemetry {
	tel, err := telemetry.New(telemetry.Config{MeterProvider: noop.NewMeterProvider()})
	if err != nil {
		panic(err)
	}
	return tel
}

// retryAll repeats what fails in any way, for every method.
func retryAll() *resilience.Retry {
	return &resilience.Retry{On: []string{"503,reset,connect-failure,unavailable"}}
}

// dialling is a Config.Dial that counts.
func dialling(w *world) func(context.Context, discovery.Endpoint) (net.Conn, error) {
	return func(ctx context.Context, e discovery.Endpoint) (net.Conn, error) {
		w.called.Add(1)
		return w.net.DialContext(ctx, "tcp", e.Addr)
	}
}

// counted is a Config.WrapAttempt that counts.
func counted(w *world) func(http.RoundTripper) http.RoundTripper {
	return func(rt http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			w.called.Add(1)
			return rt.RoundTrip(r)
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
