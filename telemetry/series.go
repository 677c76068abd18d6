package telemetry

import (
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/internal/call"
)

// Bounds of what peers and callers can name. Beyond them the value is _OTHER. The SDK has a limit of its own, 2000 sets of
// attributes for each instrument by default.
const (
	maxSeries   = 1000 // pairs of service and method, a side
	maxOutcomes = 200  // of one of them
)

// key names a series.
type key struct {
	protocol call.Protocol
	service  string // empty on the server side
	method   string
	scheme   string // server side, HTTP
}

// series is what is prepared once for all calls of one method of one service: attributes, span options, and the number in
// flight. A call that is not traced needs no more than a pointer to it.
type series struct {
	key
	set      *instruments
	serving  bool
	histo    metric.Float64Histogram
	base     []attribute.KeyValue
	baseOpt  []metric.AddOption
	gaugeOpt []metric.ObserveOption
	active   counter
	outcomes table[outcome, *prepared]

	name    string                  // of the span
	start   []trace.SpanStartOption // and of its start
	attempt string                  // name of an attempt's span
}

// prepared are the options of one outcome.
type prepared struct {
	record  []metric.RecordOption
	refused []metric.AddOption // nil but for refusals
}

// newSeries builds all that a call would otherwise build for itself.
func newSeries(set *instruments, k key, serving bool) *series {
	s := &series{key: k, set: set, serving: serving}
	s.outcomes.limit = maxOutcomes
	kind := trace.SpanKindClient
	if serving {
		kind = trace.SpanKindServer
	}
	switch k.protocol {
	case call.GRPC:
		method := strings.TrimPrefix(k.method, "/")
		s.base = append(s.base, keyRPCSystem.String("grpc"), keyRPCMethod.String(method))
		s.name = method
		if method == other {
			s.name = "grpc"
		}
	default:
		s.base = append(s.base, keyHTTPMethod.String(k.method))
		s.name = k.method
		if k.method == other {
			s.name = "HTTP"
		}
	}
	if k.scheme != "" {
		s.base = append(s.base, keyURLScheme.String(k.scheme))
	}
	if !serving {
		s.base = append(s.base, serverOf(k.service)...)
	}
	s.attempt = s.name + " attempt"
	s.start = []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(s.base...)}
	base := metric.WithAttributeSet(attribute.NewSet(s.base...))
	s.baseOpt, s.gaugeOpt = []metric.AddOption{base}, []metric.ObserveOption{base}
	s.histo = set.duration(k.protocol, serving)
	return s
}

// serverOf is a service as the conventions name a server.
func serverOf(service string) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(service)
	if err != nil {
		return []attribute.KeyValue{keyServerAddress.String(service)}
	}
	kv := []attribute.KeyValue{keyServerAddress.String(host)}
	if n, err := strconv.Atoi(port); err == nil {
		kv = append(kv, keyServerPort.Int(n))
	}
	return kv
}

// prepare finds the options of an outcome.
func (s *series) prepare(o outcome) *prepared {
	if p, ok := s.outcomes.find(o, s.build); ok {
		return p
	}
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	o = o.folded()
	k := foldedKey{s, o}
	p, ok := s.set.folded[k]
	if !ok {
		p = s.build(o)
		s.set.folded[k] = p
	}
	return p
}

// foldedKey names an outcome of a series whose table is full. There are as many as there are words for reasons, codes and
// statuses.
type foldedKey struct {
	*series
	outcome
}

func (s *series) build(o outcome) *prepared {
	attrs := append(o.attributes(s.protocol, s.serving), s.base...)
	p := &prepared{record: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}}
	if o.reason != "" {
		refused := append([]attribute.KeyValue{keyReason.String(o.reason)}, s.base...)
		p.refused = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(refused...))}
	}
	return p
}
