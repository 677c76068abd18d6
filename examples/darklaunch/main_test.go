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

// The manifests do what the policy in the program does.
func TestMesh(t *testing.T) {
	for _, folder := range []string{"mesh", "mesh-gateway"} {
		t.Run(folder, func(t *testing.T) {
			var out strings.Builder
			if err := run(&out, folder); err != nil {
				t.Fatal(err)
			}
			if want := readmetest.Output(t); out.String() != want {
				t.Errorf("printed\n%s\nbut README.md has\n%s", out.String(), want)
			}
		})
	}
}
