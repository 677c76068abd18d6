package manifest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client/traffic"
)

// TestIstioGolden holds the policies that Istio's own examples make.
func TestIstioGolden(t *testing.T) { golden(t, "testdata/istio", 6) }

// TestGatewayGolden holds the policies that the classical examples make.
func TestGatewayGolden(t *testing.T) { golden(t, "testdata/gateway", 4) }

// golden compares what becomes of each manifest in a folder, which has so many at least, with what is written down beside it.
func golden(t *testing.T, dir string, least int) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.yaml")
	if err != nil || len(files) < least {
		t.Fatal(files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s, found := Parse(Config{}, map[string]string{"a.yaml": string(text)})
			if s == nil || len(found) > 0 {
				t.Fatal(found)
			}
			if _, err := traffic.Compile(s.Policy, traffic.Local{}); err != nil {
				t.Fatal(err)
			}
			var policy bytes.Buffer
			if err := json.Indent(&policy, []byte(s.Policy.String()+"\n"), "", "  "); err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(name, ".yaml") + ".json"
			if *update {
				if err := os.WriteFile(golden, policy.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), policy.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
