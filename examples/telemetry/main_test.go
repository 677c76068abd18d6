package main

import (
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/examples/internal/readmetest"
	"github.com/intramesh/intramesh/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The README promises an output; this is it.
func TestOutput(t *testing.T) {
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	if want := readmetest.Output(t); out.String() != want {
		t.Errorf("printed\n%s\nbut README.md has\n%s", out.String(), want)
	}
}

// TestCollectorAway: nobody listens where the collector should be, and calls go on.
func TestCollectorAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := l.Addr().String()
	l.Close()
	p, err := newProviders(t.Context(), away)
	if err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.New(telemetry.Config{TracerProvider: p.traces, MeterProvider: p.metrics})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := call(t.Context(), io.Discard, tel); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.flush(t.Context()); err == nil {
		t.Error("something took what was sent")
	}
}
