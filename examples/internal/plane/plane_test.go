package plane_test

import (
	"path/filepath"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/manifest"
	"github.com/intramesh/intramesh/examples/internal/plane"
)

// The manifests of the examples have nothing in them that can hardly be meant.
func TestLint(t *testing.T) {
	files, err := filepath.Glob("../../*/mesh*/*.yaml")
	if err != nil || len(files) < 9 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			for _, f := range manifest.Lint(manifest.Config{Paths: []string{file}}, manifest.LintOptions{}).Findings {
				t.Error(f)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	own := traffic.Policy{Routes: []traffic.Route{{Name: "own"}}}
	for mesh, want := range map[string]string{"": "own", "../../darklaunch/mesh": "VirtualService/orders/launch"} {
		p, end, err := plane.Open(mesh, own)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Policy().Routes[0].Name; got != want {
			t.Errorf("%q: the route %s, want %s", mesh, got, want)
		}
		end()
	}
	if _, _, err := plane.Open(t.TempDir(), own); err == nil {
		t.Error("a folder without manifests was opened")
	}
}
