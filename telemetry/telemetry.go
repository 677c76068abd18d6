package telemetry

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// Telemetry tells what happens, in OpenTelemetry's terms. One value serves all clients and servers of a process, and is
// safe for concurrent use. Make it with [New].
type Telemetry struct {
	core observer
}

// New makes a Telemetry. The error names the field and the value that cannot be honoured, or is the MeterProvider's.
func New(cfg Config) (*Telemetry, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t := &Telemetry{core: observer{
		propagation: cfg.Propagation, sample: cfg.Sample, names: make(map[string]struct{}),
		callers: table[key, *series]{limit: maxSeries}, servers: table[key, *series]{limit: maxSeries},
	}}
	o := &t.core
	if o.propagation == "" {
		o.propagation = W3C
	}
	if cfg.TracerProvider != nil {
		o.tracer = cfg.TracerProvider.Tracer(scope, trace.WithSchemaURL(schemaURL))
	}
	if cfg.LogRequests {
		o.log = cfg.Logger
		if o.log == nil {
			o.log = slog.Default()
		}
	}
	set, meter, err := newInstruments(cfg.MeterProvider)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	o.set = set
	o.metrics = cfg.MeterProvider != nil
	return t, o.register(meter)
}

// Expirer is something whose certificate expires.
type Expirer interface {
	// Expiry is when; zero if there is no certificate.
	Expiry() time.Time
}

// ObserveExpiry shows when the certificate of an identity expires, as intramesh.certificate.expiry, under a name that
// tells identities apart. The function that it returns ends that.
func (t *Telemetry) ObserveExpiry(name string, e Expirer) (stop func()) {
	attrs := metric.WithAttributeSet(attribute.NewSet(keyIdentity.String(name)))
	return t.core.sources.add(func(o metric.Observer, set *instruments) {
		if at := e.Expiry(); !at.IsZero() {
			o.ObserveFloat64(set.expiry, time.Until(at).Seconds(), attrs)
		}
	})
}

// Core is for the packages of this module that carry calls. What it returns has internal types: programs have no use for
// it.
func (t *Telemetry) Core() call.Observer { return &t.core }

// observer does the work. It is a [call.Observer].
type observer struct {
	tracer      trace.Tracer // nil: none
	propagation Propagation
	sample      *float64
	log         *slog.Logger // nil: requests are not logged
	metrics     bool
	set         *instruments
	callers     table[key, *series]
	servers     table[key, *series]
	others      sync.Map // key to *series, where the tables are full: four at most
	sources     sources

	mu    sync.Mutex
	names map[string]struct{} // services that have been named
}

// caller finds the series of a call.
func (o *observer) caller(c *call.Call) *series {
	k := key{protocol: c.Protocol, service: c.Service, method: c.Method}
	if k.protocol == call.HTTP {
		k.method = knownMethod(k.method)
	}
	if s, ok := o.callers.find(k, func(k key) *series { return newSeries(o.set, k, false) }); ok {
		return s
	}
	return o.overflow(key{protocol: k.protocol, service: other, method: other}, false)
}

// server finds the series of a request.
func (o *observer) server(r *call.Served) *series {
	k := key{protocol: r.Protocol, method: r.Method, scheme: r.Scheme}
	switch {
	case k.protocol == call.HTTP:
		k.method = knownMethod(k.method)
	case r.Unregistered:
		k.method = other
	}
	if s, ok := o.servers.find(k, func(k key) *series { return newSeries(o.set, k, true) }); ok {
		return s
	}
	k.method = other
	return o.overflow(k, true)
}

func (o *observer) overflow(k key, serving bool) *series {
	v, ok := o.others.Load(k)
	if !ok {
		v, _ = o.others.LoadOrStore(k, newSeries(o.set, k, serving))
	}
	return v.(*series)
}
