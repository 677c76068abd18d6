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

// The manifests do what the policy in the program does: only names and what is said of a mistake are their own.
func TestMesh(t *testing.T) {
	_, want, _ := strings.Cut(readmetest.Output(t), "\n")
	for folder, finding := range map[string]string{
		"mesh":         `orders.yaml:13: VirtualService/orders: spec.http[0].route[1].wieght: unknown field, did you mean "weight"?`,
		"mesh-gateway": `orders.yaml:13: HTTPRoute/orders: spec.rules[0].backendRefs[1].wieght: unknown field, did you mean "weight"?`,
	} {
		t.Run(folder, func(t *testing.T) {
			var out strings.Builder
			if err := run(&out, folder); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(out.String(), "\n")
			want := strings.Replace(want, `traffic: Routes[0].To[1].Subset: "v3": no destination for orders declares it`, "manifest: "+finding, 1)
			if got != want {
				t.Errorf("printed\n%s\nwant\n%s", got, want)
			}
		})
	}
}
