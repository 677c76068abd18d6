package manifest_test

import (
	"fmt"
	"strings"

	"github.com/intramesh/intramesh/discovery/manifest"
)

// A team holds its policy in a test: no findings, and nothing that is repeated more than five times on its way.
func ExampleLint() {
	report := manifest.Lint(
		manifest.Config{Paths: []string{"meshlint/testdata/warnings"}},
		manifest.LintOptions{MaxAttempts: 5},
	)
	for _, f := range report.Findings { // in a test: t.Error(f)
		if strings.Contains(f.File, "weights") {
			fmt.Println(f)
		}
	}
	fmt.Println(report.Worst)
	// Output:
	// meshlint/testdata/warnings/weights.yaml:7: VirtualService/weights: spec.http[0].route: the weights add up to 95, not to 100: each counts as a share of 95
	// 27 attempts: web -> orders (3) -> stock (3) -> prices (3)
}
