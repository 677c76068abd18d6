package manifest

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkLint looks through a folder of 1,000 services in 10,000 resources, which is to take less than 5 s.
func BenchmarkLint(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("svc-%d.yaml", i)), []byte(shop(i)), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cfg := Config{Paths: []string{dir}, Logger: slog.New(slog.DiscardHandler)}
	b.ReportAllocs()
	for b.Loop() {
		if r := Lint(cfg, LintOptions{}); r.State == nil || r.Resources != 10_000 {
			b.Fatal(r.Findings.Err())
		}
	}
}
