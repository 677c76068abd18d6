package manifest_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/manifest"
	"github.com/intramesh/intramesh/resilience"
)

// canary is the policy of COMPARE.md in Go, which has the text of it.
func canary() traffic.Policy {
	retry := &resilience.Retry{Retries: 2, PerTry: 500 * time.Millisecond, On: []string{"reset", "503"}}
	return traffic.Policy{
		Routes: []traffic.Route{{
			Name:    "testers",
			Hosts:   []string{"orders"},
			Match:   []traffic.Match{{Headers: []traffic.Field{{Name: "x-version", Value: traffic.Exact("v2")}}}},
			To:      []traffic.Backend{{Subset: "v2"}},
			Timeout: 2 * time.Second,
			Retry:   retry,
		}, {
			Name:    "canary",
			Hosts:   []string{"orders"},
			To:      []traffic.Backend{{Subset: "v1", Weight: 90}, {Subset: "v2", Weight: 10}},
			Timeout: 2 * time.Second,
			Retry:   retry,
		}},
		Destinations: []traffic.Destination{{
			Service: "orders",
			Subsets: []traffic.Subset{
				{Name: "v1", Labels: map[string]string{"version": "v1"}},
				{Name: "v2", Labels: map[string]string{"version": "v2"}},
			},
			Settings: traffic.Settings{Resilience: resilience.Policy{Outlier: &resilience.Outlier{
				Consecutive5xx: 3, Interval: 10 * time.Second, BaseEjection: 30 * time.Second, MaxPercent: 50,
				// What Envoy does beside, and the mesh on its own does otherwise.
				Strict: true, Jitter: -1, MinHealthPercent: -1,
			}}},
		}},
	}
}

// TestCompare holds the page to what it says: its Go is what stands above, and all three do the same with every request.
func TestCompare(t *testing.T) {
	page, own := read(t, "COMPARE.md"), read(t, "compare_test.go")
	blocks := regexp.MustCompile("(?s)```(go|yaml)\n(.*?)```\n").FindAllStringSubmatch(page, -1)
	if len(blocks) != 3 || blocks[0][1] != "go" {
		t.Fatalf("%d pieces of code, want one of Go and two of YAML", len(blocks))
	}
	if !strings.Contains(own, "func canary() traffic.Policy {\n"+blocks[0][2]+"}\n") {
		t.Error("the Go of COMPARE.md is not that of canary")
	}
	want := outcomes(t, canary())
	for _, block := range blocks[1:] {
		state, findings := manifest.Parse(manifest.Config{}, map[string]string{"orders.yaml": block[2]})
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		if d := cmp.Diff(want, outcomes(t, state.Policy)); d != "" {
			t.Errorf("in Go and in\n%s\n%s", block[2], d)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// outcome is what becomes of a request.
type outcome struct {
	To      []string // versions and their weights
	Timeout time.Duration
	Retry   *resilience.Retry
	Outlier []*resilience.Outlier // of each version
}

// outcomes are what a policy makes of requests, over HTTP and gRPC, with and without the header.
func outcomes(t *testing.T, p traffic.Policy) map[string]outcome {
	t.Helper()
	table, err := traffic.Compile(p, traffic.Local{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]outcome{}
	for _, version := range []string{"", "v2", "v1", "v22"} {
		for _, grpc := range []bool{false, true} {
			q := &traffic.Request{
				GRPC: grpc, Service: "orders", Method: "POST", Path: "/shop.Orders/Place", Header: header{"x-version": version},
			}
			if !grpc {
				q.Scheme = "http"
			}
			all[fmt.Sprintf("x-version %q, gRPC %t", version, grpc)] = decide(t, table, q)
		}
	}
	return all
}

func decide(t *testing.T, table *traffic.Table, q *traffic.Request) outcome {
	t.Helper()
	rule := table.Match(q)
	if rule == nil {
		return outcome{}
	}
	o := outcome{Timeout: rule.Route.Timeout, Retry: rule.Route.Retry}
	for _, target := range rule.Targets {
		weight := target.Backend.Weight
		if len(rule.Targets) == 1 {
			weight = 100
		}
		service := target.Service(q.Service)
		o.To = append(o.To, fmt.Sprintf("%s %d %%", version(t, table, service, target.Backend.Subset), weight))
		settings, err := table.Settings(service, target.Backend.Subset)
		if err != nil {
			t.Fatal(err)
		}
		o.Outlier = append(o.Outlier, settings.Resilience.Outlier)
	}
	return o
}

// version is the label of a subset, or the end of the name of a service that is one version, "orders-v1:80".
func version(t *testing.T, table *traffic.Table, service, subset string) string {
	t.Helper()
	if subset == "" {
		return strings.TrimSuffix(strings.TrimPrefix(service, "orders-"), ":80")
	}
	labels, err := table.Subset(service, subset)
	if err != nil || len(labels) != 1 {
		t.Fatal(labels, err)
	}
	return labels["version"]
}

// header is a request's, of which all values are there that are not empty.
type header map[string]string

func (h header) Lookup(name, _ string) (string, bool) { return h[name], h[name] != "" }
