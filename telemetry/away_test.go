package telemetry_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/memnet"
	"github.com/intramesh/intramesh/telemetry"
)

// stuck is the exporter of a collector that has stopped: it holds on to the first batch until the test lets go.
type stuck struct {
	asked   atomic.Int64
	release chan struct{}
}

func (s *stuck) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	s.asked.Add(1)
	<-s.release
	return nil
}

func (s *stuck) Shutdown(context.Context) error { return nil }

// TestStuckCollector: while an export hangs and the queue is full, calls go on. The test would not end if one waited.
func TestStuckCollector(t *testing.T) {
	exporter := &stuck{release: make(chan struct{})}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(4), sdktrace.WithMaxExportBatchSize(2)))
	t.Cleanup(func() { _ = tp.Shutdown(context.Background()) })
	t.Cleanup(func() { close(exporter.release) })
	p, network := newProcess(t, telemetry.Config{TracerProvider: tp}), new(memnet.Network)
	p.serveHTTP(network, "orders:1", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	rt := p.client(network, discovery.Static{"orders": {{Addr: "orders:1"}}}).Transport(nil)
	for range 200 {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "mesh://orders/", nil)
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if n := exporter.asked.Load(); n > 1 {
		t.Errorf("%d exports at a time", n)
	}
}
