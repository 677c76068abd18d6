package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/discovery/manifest"
)

// TestKnownConfigurationWarns: it has no findings, but for the warning where a tenth of the endpoints is less than one.
func TestKnownConfigurationWarns(t *testing.T) {
	for _, n := range []int{0, 9, 10} {
		var addrs []string
		for i := range n {
			addrs = append(addrs, fmt.Sprintf("{address: 10.0.0.%d}", i+1))
		}
		text := known
		if n > 0 {
			text += fmt.Sprintf(endpoints, strings.Join(addrs, ", "))
		}
		_, findings := manifest.Parse(manifest.Config{}, map[string]string{"a.yaml": text})
		if n != 9 {
			if len(findings) > 0 {
				t.Errorf("%d endpoints: %v", n, findings)
			}
			continue
		}
		if len(findings) != 1 || findings[0].Severity != manifest.Warning || findings[0].Object != "DestinationRule/my-service-rules" ||
			!strings.HasPrefix(findings[0].Field, "spec.trafficPolicy.outlierDetection") {
			t.Errorf("9 endpoints: %v, want one warning", findings)
		}
	}
}
