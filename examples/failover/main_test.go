package main

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

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

// The manifests do what the policy in the program does: behind the policy that is printed all is the same.
func TestMesh(t *testing.T) {
	var out strings.Builder
	if err := run(&out, "mesh"); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(out.String(), "\n}\n")
	if _, want, _ := strings.Cut(readmetest.Output(t), "\n}\n"); got != want || got == "" {
		t.Errorf("printed\n%s\nbut README.md has\n%s", got, want)
	}
}
