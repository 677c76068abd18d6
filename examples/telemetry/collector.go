package main

import (
	"io"
	"net"
	"net/http"
	"sync"

	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes OTLP over HTTP, as any collector does, and keeps it.
type collector struct {
	*http.Server

	addr string

	mu      sync.Mutex
	spans   []*trace.Span
	metrics []*metrics.Metric
}

func listen() (*collector, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &collector{addr: l.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", c.takeTraces)
	mux.HandleFunc("POST /v1/metrics", c.takeMetrics)
	c.Server = &http.Server{Handler: mux}
	go func() { _ = c.Serve(l) }()
	return c, nil
}

func (c *collector) takeTraces(w http.ResponseWriter, r *http.Request) {
	var got collectortrace.ExportTraceServiceRequest
	if !decode(w, r, &got) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range got.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			c.spans = append(c.spans, ss.GetSpans()...)
		}
	}
}

func (c *collector) takeMetrics(w http.ResponseWriter, r *http.Request) {
	var got collectormetrics.ExportMetricsServiceRequest
	if !decode(w, r, &got) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.metrics = nil // the numbers are cumulative: the last ones are all
	for _, rm := range got.GetResourceMetrics() {
		for _, sm := range rm.GetScopeMetrics() {
			c.metrics = append(c.metrics, sm.GetMetrics()...)
		}
	}
}

// decode reads a request. An empty answer of 200 is an empty message, which says that all was accepted.
func decode(w http.ResponseWriter, r *http.Request, m proto.Message) bool {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(body, m)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	return true
}
