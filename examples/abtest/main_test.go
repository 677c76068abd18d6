package main

import (
	"fmt"
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

// The manifests send testers where the policy in the program sends them, and as many of the others.
func TestMesh(t *testing.T) {
	const testers = "testers over HTTP: 100 of 100 calls were answered by v2\ntesters over gRPC: 100 of 100 calls were answered by v2\n"
	if !strings.Contains(readmetest.Output(t), testers) {
		t.Error("README.md says something else of testers")
	}
	for _, folder := range []string{"mesh", "mesh-gateway"} {
		t.Run(folder, func(t *testing.T) {
			var out strings.Builder
			if err := run(&out, folder); err != nil {
				t.Fatal(err)
			}
			_, others, ok := strings.Cut(out.String(), testers)
			var v2, all int
			if _, err := fmt.Sscanf(others, "others: %d of %d calls were answered by v2", &v2, &all); err != nil || !ok {
				t.Fatalf("%v in\n%s", err, out.String())
			}
			if v2 < all/10-26 || v2 > all/10+26 { // wherever in its sequence a split begins
				t.Errorf("%d of %d calls were answered by v2, want a tenth", v2, all)
			}
		})
	}
}
