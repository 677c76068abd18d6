package main

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// copies reads the metric that counts them; there is nothing else to learn of them, as nobody waits for their answers.
type copies struct{ reader *sdkmetric.ManualReader }

// counts are how many copies ended, by how.
type counts map[string]int64

func (c counts) sum() (n int64) {
	for _, k := range c {
		n += k
	}
	return n
}

func (c copies) ended() (counts, error) {
	var all metricdata.ResourceMetrics
	if err := c.reader.Collect(context.Background(), &all); err != nil {
		return nil, err
	}
	sums := counts{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if m.Name != "intramesh.client.mirrors" || !ok {
				continue
			}
			for _, p := range sum.DataPoints {
				sums[how(p.Attributes)] += p.Value
			}
		}
	}
	return sums, nil
}

// how a copy ended: "success", "failure", or "dropped" with the reason.
func how(s attribute.Set) string {
	outcome, _ := s.Value("intramesh.outcome")
	reason, _ := s.Value("intramesh.reason")
	return strings.TrimSpace(outcome.AsString() + " " + reason.AsString())
}
