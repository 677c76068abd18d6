package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/examples/internal/plane"
	"github.com/intramesh/intramesh/examples/internal/readmetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The README promises an output; this is it.
func TestOutput(t *testing.T) {
	var out strings.Builder
	if err := run(&out, ""); err != nil {
		t.Fatal(err)
	}
	if want := readmetest.Output(t); out.String() != want {
		t.Errorf("printed\n%s\nbut README.md has\n%s", out.String(), want)
	}
}

// The manifests do what the policy in the program does, so far as Istio has words for it: a fault of calls is the same, and
// the README has its line.
func TestMesh(t *testing.T) {
	var out strings.Builder
	if err := run(&out, "mesh"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if shared := strings.Join(lines[:3], "\n"); !strings.HasPrefix(readmetest.Output(t), shared) {
		t.Errorf("printed\n%s\nbut README.md begins otherwise", shared)
	}
	want := []string{
		"delays-of-calls     HTTP                0 %                    0 %",
		"delays-of-calls     gRPC                0 %                    0 %",
		"",
	}
	if d := cmp.Diff(want, lines[3:]); d != "" {
		t.Error(d)
	}

	own, err := traffic.Parse(policyJSON)
	if err != nil {
		t.Fatal(err)
	}
	p, end, err := plane.Open("mesh", own)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if d := cmp.Diff(own.Routes[0].Faults, p.Policy().Routes[0].Faults); d != "" {
		t.Error(d)
	}
	delay := []traffic.Fault{{Percent: 20, Scope: traffic.ScopeCall, Delay: 20 * time.Millisecond}}
	if d := cmp.Diff(delay, p.Policy().Routes[1].Faults); d != "" {
		t.Error(d)
	}
}
