package telemetry

import (
	"sync"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/intramesh/intramesh/internal/call"
)

// bounds are the buckets that the conventions give for durations, in seconds.
var bounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// instruments are all metrics of a [Telemetry]; the package's doc lists them.
type instruments struct {
	httpClient, httpServer, rpcClient, rpcServer metric.Float64Histogram

	retries, refusedCalls, refusedRequests, budget, events, faults, mirrors metric.Int64Counter

	httpClientActive, httpServerActive, rpcClientActive, rpcServerActive metric.Int64ObservableUpDownCounter
	endpoints, breakers                                                  metric.Int64ObservableUpDownCounter
	configAge, expiry                                                    metric.Float64ObservableGauge

	mu     sync.Mutex
	folded map[foldedKey]*prepared
}

// maker collects the errors of many instruments.
type maker struct {
	meter metric.Meter
	err   error
}

func newInstruments(p metric.MeterProvider) (*instruments, metric.Meter, error) {
	if p == nil {
		p = noop.NewMeterProvider()
	}
	m := maker{meter: p.Meter(scope, metric.WithSchemaURL(schemaURL))}
	set := &instruments{
		folded: make(map[foldedKey]*prepared),

		httpClient: m.duration("http.client.request.duration", "Duration of HTTP client requests."),
		httpServer: m.duration("http.server.request.duration", "Duration of HTTP server requests."),
		rpcClient:  m.duration("rpc.client.call.duration", "Measures the duration of an outgoing Remote Procedure Call (RPC)."),
		rpcServer:  m.duration("rpc.server.call.duration", "Measures the duration of an incoming Remote Procedure Call (RPC)."),

		retries:         m.counter("intramesh.client.retries", "{retry}", "Attempts after the first."),
		refusedCalls:    m.counter("intramesh.client.refusals", "{call}", "Calls that have no response, by the reason."),
		refusedRequests: m.counter("intramesh.server.refusals", "{request}", "Requests that did not pass to their handler or broke it, by the reason."),
		budget:          m.counter("intramesh.client.budget_exhausted", "{call}", "Calls that the retry budget let end in failure."),
		faults:          m.counter("intramesh.client.faults", "{fault}", "Faults that were injected on purpose."),
		mirrors:         m.counter("intramesh.client.mirrors", "{call}", "Copies of calls for mirrors, by their outcome; dropped ones were not sent."),
		events:          m.counter("intramesh.events", "{event}", "Changes of breakers and endpoints, and policies that were refused."),

		httpClientActive: m.upDown("http.client.active_requests", "{request}", "Number of active HTTP requests."),
		httpServerActive: m.upDown("http.server.active_requests", "{request}", "Number of active HTTP server requests."),
		rpcClientActive:  m.upDown("intramesh.rpc.client.active_calls", "{call}", "Calls in flight over gRPC."),
		rpcServerActive:  m.upDown("intramesh.rpc.server.active_calls", "{call}", "Calls being served over gRPC."),
		endpoints:        m.upDown("intramesh.endpoints", "{endpoint}", "Endpoints of a service, by state."),
		breakers:         m.upDown("intramesh.breaker.state", "1", "1 for the state that a breaker is in, 0 for the others."),

		configAge: m.gauge("intramesh.config.age", "Time since the configuration in force was set."),
		expiry:    m.gauge("intramesh.certificate.expiry", "Time until the certificate expires; negative once it has."),
	}
	return set, m.meter, m.err
}

func (m *maker) duration(name, what string) metric.Float64Histogram {
	h, err := m.meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(bounds...))
	m.keep(err)
	return h
}

func (m *maker) counter(name, unit, what string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
	m.keep(err)
	return c
}

func (m *maker) upDown(name, unit, what string) metric.Int64ObservableUpDownCounter {
	c, err := m.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
	m.keep(err)
	return c
}

func (m *maker) gauge(name, what string) metric.Float64ObservableGauge {
	g, err := m.meter.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(what))
	m.keep(err)
	return g
}

func (m *maker) keep(err error) {
	if m.err == nil {
		m.err = err
	}
}

// duration is the histogram of a side and protocol.
func (set *instruments) duration(p call.Protocol, serving bool) metric.Float64Histogram {
	switch {
	case p == call.GRPC && serving:
		return set.rpcServer
	case p == call.GRPC:
		return set.rpcClient
	case serving:
		return set.httpServer
	}
	return set.httpClient
}

// active is the gauge of what is in flight on a side and protocol.
func (set *instruments) active(p call.Protocol, serving bool) metric.Int64Observable {
	switch {
	case p == call.GRPC && serving:
		return set.rpcServerActive
	case p == call.GRPC:
		return set.rpcClientActive
	case serving:
		return set.httpServerActive
	}
	return set.httpClientActive
}
