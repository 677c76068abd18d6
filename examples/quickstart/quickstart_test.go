package main

import (
	"os"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/examples/internal/shoptest"
)

func TestMain(m *testing.M) { os.Exit(shoptest.Main(m)) }

func TestQuickstart(t *testing.T) {
	q := shoptest.Start(t, nil, "-for", "12s")
	lines, err := q.Rest(t)
	out := strings.Join(lines, "\n")
	t.Log("\n" + out)
	if err != nil {
		t.Errorf("exit: %v", err)
	}
	if requests, degraded, retries := shoptest.Ok(t, out); requests < 500 || degraded < 1 || retries < 1 {
		t.Errorf("want at least 500 requests, and pages without reviews and retries")
	}
	shoptest.InOrder(t, out, shoptest.Lines(new(show).script())...)
	shoptest.InOrder(t, out,
		"three callers", "PermissionDenied", "403 Forbidden",
		"no connection", "unknown_authority", "reviews fail", "mesh:", "breaker for reviews opened",
		"GET /items", "GET /orders", "POST /orders", "GET /stock", "POST /stock", "Place", "Track", "Charge", "GET /reviews",
		"ejections", "breaker openings", "refusals", "inventory", "orders", "payments", "reviews")
	q.LeavesNothing(t)
}

// Ctrl-C ends a run without an end, whatever step it is at.
func TestInterrupt(t *testing.T) {
	shoptest.Start(t, nil, "-for", "0").Interrupt(t, "inventory-1 is killed")
}

// The death of the parent ends all processes, also the one that is stopped at that moment.
func TestParentKilled(t *testing.T) {
	shoptest.Start(t, nil, "-for", "6s").Kill(t, "inventory-3 is stopped")
}

func TestArguments(t *testing.T) { shoptest.Arguments(t) }

// The README shows a run of 15 s.
func TestReadme(t *testing.T) { shoptest.Readme(t, new(show).script()) }
