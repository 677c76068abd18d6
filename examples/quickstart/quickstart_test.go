package main

import (
	"math"
	"os"
	"regexp"
	"strconv"
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
		"inventory v2 joins", "10 %: v2 got",
		`: mesh/inventory.yaml:13: VirtualService/inventory: spec.http[0].route[1].wieght: unknown field, did you mean "weight"?`,
		"10 % holds meanwhile: v2 got", "50 %: v2 got", "100 %: v2 got", "the 3 instances of v1 were drained and have ended",
		"three callers", "PermissionDenied", "403 Forbidden",
		"no connection", "unknown_authority", "reviews fail", "mesh:", "breaker for reviews opened",
		"GET /items", "GET /orders", "POST /orders", "GET /stock", "POST /stock", "Place", "Track", "Charge", "GET /reviews",
		"ejections", "breaker openings", "refusals", "inventory", "orders", "payments", "reviews")
	splits(t, out)
	q.LeavesNothing(t)
}

var splitLine = regexp.MustCompile(`mesh: (\d+) %(?: holds meanwhile)?: v2 got (\d+) of (\d+) attempts \(\d+ %\), and gave \d+ of \d+ receipts`)

// splits holds the shares of v2 to what was asked for: each of the two callers is off by a few calls, and each of the 20
// visitors may have had one in hand that met the shares of before.
func splits(t *testing.T, out string) {
	t.Helper()
	all := splitLine.FindAllStringSubmatch(out, -1)
	if len(all) != 4 {
		t.Errorf("%d lines about the split, want 4", len(all))
	}
	for _, m := range all {
		var n [3]float64
		for i := range n {
			n[i], _ = strconv.ParseFloat(m[i+1], 64)
		}
		if want := n[0] / 100 * n[2]; n[2] == 0 || math.Abs(n[1]-want) > 25 {
			t.Errorf("%s: want %.0f", m[0], want)
		}
	}
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
