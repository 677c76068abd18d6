package telemetry

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/intramesh/intramesh/internal/call"
)

// sources are what is asked when metrics are collected.
type sources struct {
	mu   sync.Mutex
	next int
	all  map[int]func(metric.Observer, *instruments)
}

func (s *sources) add(f func(metric.Observer, *instruments)) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[int]func(metric.Observer, *instruments))
	}
	id := s.next
	s.next++
	s.all[id] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, id)
	}
}

// Watch shows what a client tells of itself, until stop is called.
func (o *observer) Watch(g call.Gauges) (stop func()) {
	config := metric.WithAttributeSet(attribute.NewSet(keyConfig.String("resilience")))
	return o.sources.add(func(m metric.Observer, set *instruments) {
		m.ObserveFloat64(set.configAge, time.Since(g.PolicySince()).Seconds(), config)
		g.EachEndpoints(func(service, state string, n int) {
			attrs := append(serverOf(o.named(service)), keyState.String(state))
			m.ObserveInt64(set.endpoints, int64(n), metric.WithAttributes(attrs...))
		})
		g.EachBreakerState(func(service, now string) { o.breaker(m, service, now) })
	})
}

// breakerStates are all that there are: each is shown for every breaker, as 1 or 0, so that one that is left falls to 0.
var breakerStates = [...]string{"closed", "half_open", "open"}

func (o *observer) breaker(m metric.Observer, service, now string) {
	server := serverOf(o.named(service))
	for _, state := range breakerStates {
		var n int64
		if state == now {
			n = 1
		}
		attrs := append(slices.Clip(server), keyState.String(state))
		m.ObserveInt64(o.set.breakers, n, metric.WithAttributes(attrs...))
	}
}

// register has the gauges asked for at every collection.
func (o *observer) register(meter metric.Meter) error {
	set := o.set
	_, err := meter.RegisterCallback(o.collect,
		set.httpClientActive, set.httpServerActive, set.rpcClientActive, set.rpcServerActive,
		set.endpoints, set.breakers, set.configAge, set.expiry)
	return err
}

func (o *observer) collect(_ context.Context, m metric.Observer) error {
	inFlight := func(s *series) {
		m.ObserveInt64(o.set.active(s.protocol, s.serving), s.active.value(), s.gaugeOpt...)
	}
	o.callers.each(inFlight)
	o.servers.each(inFlight)
	o.others.Range(func(_, v any) bool {
		inFlight(v.(*series))
		return true
	})
	o.sources.mu.Lock()
	defer o.sources.mu.Unlock()
	for _, f := range o.sources.all {
		f(m, o.set)
	}
	return nil
}
