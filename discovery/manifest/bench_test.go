package manifest

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shop writes a file of ten resources for one service: a ServiceEntry, seven workloads, a DestinationRule, a VirtualService.
func shop(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: svc-%[1]d}
spec:
  hosts: [svc-%[1]d.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
  - {number: 80, name: http, protocol: HTTP, targetPort: 8080}
  - {number: 9090, name: grpc, protocol: GRPC}
  workloadSelector: {labels: {app: svc-%[1]d}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: svc-%[1]d}
spec:
  host: svc-%[1]d
  trafficPolicy:
    loadBalancer: {simple: LEAST_REQUEST}
    outlierDetection: {consecutive5xxErrors: 3, interval: 10s, baseEjectionTime: 30s}
    connectionPool:
      tcp: {maxConnections: 100}
      http: {http1MaxPendingRequests: 10, http2MaxRequests: 1000, maxRequestsPerConnection: 100, idleTimeout: 1m}
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svc-%[1]d}
spec:
  hosts: [svc-%[1]d]
  http:
  - match: [{headers: {x-user: {exact: "42"}}}]
    route: [{destination: {host: svc-%[1]d, subset: v2}}]
  - route:
    - {destination: {host: svc-%[1]d, subset: v1}, weight: 90}
    - {destination: {host: svc-%[1]d, subset: v2}, weight: 10}
    timeout: 5s
    retries: {attempts: 3, perTryTimeout: 2s, retryOn: "5xx,connect-failure"}
`, i)
	for j := range 7 {
		fmt.Fprintf(&b, `---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: svc-%[1]d-%[2]d}
spec:
  address: 10.%[3]d.%[4]d.%[2]d
  labels: {app: svc-%[1]d, version: v%[5]d}
  locality: eu/eu-1/rack-%[2]d
  serviceAccount: svc-%[1]d
`, i, j+1, i/256, i%256, j%2+1)
	}
	return b.String()
}

// BenchmarkLoad reads a folder of 1,000 services in 10,000 resources, and then the same again after a change of one file.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("svc-%d.yaml", i)), []byte(shop(i)), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	cfg := Config{Paths: []string{dir}, Lenient: true, Logger: slog.New(slog.DiscardHandler)}
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if s, f := Load(cfg); s == nil || len(s.Objects) != 10_000 {
				b.Fatal(f.Err())
			}
		}
	})
	b.Run("change", func(b *testing.B) {
		if err := cfg.ready(); err != nil {
			b.Fatal(err)
		}
		var l loader
		l.load(&cfg, "")
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			text := strings.Replace(shop(7), "svc-7-1", fmt.Sprintf("svc-7-x%d", i), 1)
			if err := os.WriteFile(filepath.Join(dir, "svc-7.yaml"), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
			if s, f := l.load(&cfg, ""); s == nil {
				b.Fatal(f.Err())
			}
		}
	})
}
