package manifest

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkLint looks through 1,000 services in 10,000 resources, which is to take less than 5 s: as they usually are, and with
// everything wrong in each.
func BenchmarkLint(b *testing.B) {
	for _, c := range []struct {
		name   string
		change *strings.Replacer
	}{
		{"usual", strings.NewReplacer("retryOn: \"5xx,", "retryOn: \"")},
		{"bad", strings.NewReplacer(
			"version: v2", "version: v3", "{host: svc-", "{host: scv-", "weight: 90", "weight: 80", "host: svc-", "host: scv-",
			"x-user: {exact: \"42\"}}", "x-user: {exact: \"42\"}}, sourceLabels: {app: svc-0}, method: {regex: \"P.*\"}",
			"http2MaxRequests: 1000", "http2MaxRequests: 0",
		)},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			for i := range 1000 {
				text := c.change.Replace(shop(i))
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("svc-%d.yaml", i)), []byte(text), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			cfg := Config{Paths: []string{dir}, Logger: slog.New(slog.DiscardHandler)}
			b.ReportAllocs()
			for b.Loop() {
				r := Lint(cfg, LintOptions{})
				if r.State == nil || r.Resources != 10_000 {
					b.Fatal(r.Findings.Err())
				}
				b.ReportMetric(float64(len(r.Findings)), "findings")
			}
		})
	}
}
