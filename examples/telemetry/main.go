// Command telemetry is the mesh with OpenTelemetry: one call that needs a retry, the spans and metrics that it makes, sent
// by OTLP to a collector that stands in the same program and prints what it got. See README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/telemetry"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "telemetry:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	ctx := context.Background()
	col, err := listen()
	if err != nil {
		return err
	}
	defer col.Close()
	if err := visit(ctx, out, col.addr); err != nil {
		return err
	}
	col.show(out)
	return nil
}

// visit makes one call, and returns when the collector has all that there is to say of it.
func visit(ctx context.Context, out io.Writer, collector string) error {
	p, err := newProviders(ctx, collector)
	if err != nil {
		return err
	}
	// The mesh's side of it: one value for all clients and servers of the process.
	tel, err := telemetry.New(telemetry.Config{TracerProvider: p.traces, MeterProvider: p.metrics, Sample: new(1.0)})
	if err != nil {
		return err
	}
	if err := call(ctx, out, tel); err != nil {
		return err
	}
	return p.flush(ctx)
}

func call(ctx context.Context, out io.Writer, tel *telemetry.Telemetry) error {
	srv, addr, err := serve(tel)
	if err != nil {
		return err
	}
	defer srv.Close()
	c, err := client.New(client.Config{
		Discovery:  discovery.Static{"orders": {{Addr: addr}}},
		Resilience: resilience.Config{Default: resilience.Standard()},
		Telemetry:  tel,
	})
	if err != nil {
		return err
	}
	defer c.Close()
	hc := &http.Client{Transport: c.Transport(nil)}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "mesh://orders/orders/7", nil)
	if err != nil {
		return err
	}
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Fprintf(out, "%s: %s, %q\n", req.URL, resp.Status, body)
	return err
}

// serve starts a server of the service "orders", whose first answer is 503.
func serve(tel *telemetry.Telemetry) (*http.Server, string, error) {
	s, err := server.New(server.Config{Telemetry: tel})
	if err != nil {
		return nil, "", err
	}
	var calls atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "placed")
	})
	srv := &http.Server{Handler: mux}
	s.Attach(srv)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	go func() { _ = srv.Serve(l) }()
	return srv, l.Addr().String(), nil
}
