// Command darklaunch sends a copy of every request to a version that is not released: slow, failing, and nobody notices. See
// README.md.
package main

import (
	"context"
	"io"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/examples/internal/orders"
	"github.com/intramesh/intramesh/examples/internal/plane"
	"github.com/intramesh/intramesh/telemetry"
)

func main() { plane.Main("darklaunch", run) }

// policy gives v1 all calls, and v2 copies of them.
func policy() traffic.Policy {
	return traffic.Policy{
		Routes: []traffic.Route{{
			Name:    "launch",
			Hosts:   []string{"orders"},
			To:      []traffic.Backend{{Subset: "v1"}},
			Mirrors: []traffic.Mirror{{Subset: "v2", Percent: 100}},
		}},
		Destinations: []traffic.Destination{{
			Service: "orders",
			Subsets: []traffic.Subset{
				{Name: "v1", Labels: map[string]string{"version": "1"}},
				{Name: "v2", Labels: map[string]string{"version": "2"}},
			},
		}},
		MirrorLimits: traffic.MirrorLimits{Calls: 64}, // as many copies may be under way; that is the default
	}
}

func run(out io.Writer, mesh string) error {
	where, end, err := plane.Open(mesh, policy())
	if err != nil {
		return err
	}
	defer end()
	light, err := orders.Listen(orders.Config{Name: "v1"})
	if err != nil {
		return err
	}
	defer light.Close()
	v2 := new(dark)
	shade, err := orders.Listen(orders.Config{Name: "v2", Answer: v2.answer})
	if err != nil {
		return err
	}
	defer shade.Close()
	reader := sdkmetric.NewManualReader()
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	defer func() { _ = meters.Shutdown(context.Background()) }()
	tel, err := telemetry.New(telemetry.Config{MeterProvider: meters})
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{
		Discovery: orders.Versions(light, shade),
		Traffic:   where,
		Telemetry: tel,
	})
	if err != nil {
		return err
	}
	defer c.Close()
	oc, err := orders.Dial(c)
	if err != nil {
		return err
	}
	defer oc.Close()
	for _, p := range oc.Protocols() {
		if err := show(out, p, v2, copies{reader}); err != nil {
			return err
		}
	}
	return nil
}
