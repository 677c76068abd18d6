package server_test

import (
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/intramesh/intramesh/security/ca"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/telemetry"
)

// TestExpiry: the end of the server's certificate is a metric for as long as the server is there.
func TestExpiry(t *testing.T) {
	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	defer authority.Close()
	id, err := authority.Identity("/web")
	if err != nil {
		t.Fatal(err)
	}
	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	defer func() { _ = provider.Shutdown(t.Context()) }()
	tel, err := telemetry.New(telemetry.Config{MeterProvider: provider})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(server.Config{Identity: id, Telemetry: tel})
	if err != nil {
		t.Fatal(err)
	}
	shown := func() bool {
		var rm metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &rm); err != nil {
			t.Fatal(err)
		}
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				if m.Name == "intramesh.certificate.expiry" {
					return true
				}
			}
		}
		return false
	}
	if !shown() {
		t.Error("the expiry is not shown")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if shown() {
		t.Error("the expiry of a server that is closed is shown")
	}
}
