package manifest

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lintOf looks through one file, in which "KIND name: spec" at the beginning of a line stands for a resource of Istio. It
// gives the findings one a line, without the file.
func lintOf(t *testing.T, opts LintOptions, text string) (string, *LintReport) {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		head, spec, is := strings.Cut(line, ": ")
		kind, name, two := strings.Cut(head, " ")
		if is && two && !strings.HasPrefix(line, " ") {
			api := "networking.istio.io/v1"
			switch kind {
			case "Service":
				api = "v1"
			case "HTTPRoute", "GRPCRoute":
				api = "gateway.networking.k8s.io/v1"
			}
			line = fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s}, spec: %s}\n---\n", api, kind, name, strings.TrimSpace(spec))
		}
		b.WriteString(line)
	}
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	r := Lint(Config{Paths: []string{path}, Logger: slog.New(slog.DiscardHandler)}, opts)
	var lines []string
	for _, f := range r.Findings {
		f.File, f.Line = strings.TrimPrefix(f.File, path), 0
		lines = append(lines, f.Severity.String()+" "+strings.ReplaceAll(f.Error(), path, "a.yaml"))
	}
	return strings.Join(lines, "\n"), r
}

// entry writes a ServiceEntry with an endpoint for each version.
func entryFor(name string, versions ...string) string {
	var endpoints []string
	for i, v := range versions {
		endpoints = append(endpoints, fmt.Sprintf("{address: 10.0.0.%d, labels: {app: %s, version: %s}}", i+1, name, v))
	}
	return fmt.Sprintf("ServiceEntry %s: {hosts: [%[1]s.default.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC, "+
		"ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [%s]}\n", name, strings.Join(endpoints, ", "))
}

// TestLintFindings: what is found, and what next to it is not. The command's testdata has an example of each finding.
func TestLintFindings(t *testing.T) {
	orders := entryFor("orders", "v1", "v2")
	to := "route: [{destination: {host: orders}}]"
	for name, c := range map[string]struct{ text, want string }{
		"nothing": {orders + "VirtualService a: {hosts: [orders], http: [{" + to + "}]}", ""},

		"weights of 100":        {orders + "VirtualService a: {hosts: [orders], http: [{route: [{destination: {host: orders}, weight: 99}, {destination: {host: orders, port: {number: 80}}, weight: 1}]}]}", ""},
		"weight of one":         {orders + "VirtualService a: {hosts: [orders], http: [{route: [{destination: {host: orders}, weight: 5}]}]}", ""},
		"weights of 3":          {orders + "VirtualService a: {hosts: [orders], http: [{route: [{destination: {host: orders}, weight: 2}, {destination: {host: orders, port: {number: 80}}, weight: 1}]}]}", "warning VirtualService/a: spec.http[0].route: the weights add up to 3, not to 100: each counts as a share of 3"},
		"weights of a Gateway":  {orders + "Service b: {ports: [{port: 80}]}\nHTTPRoute a: {parentRefs: [{group: '', kind: Service, name: b}], rules: [{backendRefs: [{name: b, port: 80, weight: 2}, {name: orders, port: 80, weight: 1}]}]}", ""},
		"hosts elsewhere":       {"VirtualService a: {hosts: [orders], http: [{" + to + "}]}", ""},
		"a rule's host":         {orders + "DestinationRule a: {host: odrers}", `warning DestinationRule/a: spec.host: no Service and no ServiceEntry declares "odrers", did you mean "orders"?`},
		"a wildcard":            {orders + "DestinationRule a: {host: '*.default.svc.cluster.local'}", ""},
		"a wildcard of nothing": {orders + "DestinationRule a: {host: '*.example.com'}", `warning DestinationRule/a: spec.host: no Service and no ServiceEntry declares "*.example.com"`},
		"another namespace":     {orders + "VirtualService a: {hosts: [orders], http: [{route: [{destination: {host: orders.shop.svc.cluster.local}}]}]}", `warning VirtualService/a: spec.http[0].route[0].destination.host: no Service and no ServiceEntry declares "orders.shop.svc.cluster.local", did you mean "orders.default.svc.cluster.local"?`},
		"a mirror":              {orders + "VirtualService a: {hosts: [orders], http: [{" + to + ", mirror: {host: shadow}}]}", `warning VirtualService/a: spec.http[0].mirror.host: no Service and no ServiceEntry declares "shadow"`},
		"mirrors": {orders + "VirtualService a: {hosts: [orders], http: [{" + to + ", mirrors: [{destination: {host: shadow}, percentage: {value: 1}}]}]}",
			`warning VirtualService/a: spec.http[0].mirrors[0].destination.host: no Service and no ServiceEntry declares "shadow"`},
		"a mirror of a Gateway": {"Service b: {ports: [{port: 80}]}\nHTTPRoute a: {parentRefs: [{group: '', kind: Service, name: b}], rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: shadow, port: 80}}}], backendRefs: [{name: b, port: 80}]}]}",
			`warning HTTPRoute/a: spec.rules[0].filters[0].requestMirror.backendRef.name: no Service and no ServiceEntry declares "shadow"`},
		"a GRPCRoute": {"Service b: {ports: [{port: 80}]}\nGRPCRoute a: {parentRefs: [{group: '', kind: Service, name: b}], rules: [{backendRefs: [{name: c, port: 80}]}]}",
			`warning GRPCRoute/a: spec.rules[0].backendRefs[0].name: no Service and no ServiceEntry declares "c", did you mean "b"?`},

		"not exported": {orders + "ServiceEntry hid: {hosts: [hid.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS, exportTo: [other]}\nVirtualService a: {hosts: [orders], http: [{route: [{destination: {host: hid.example.com}}]}]}",
			`warning VirtualService/a: spec.http[0].route[0].destination.host: ServiceEntry/hid declares "hid.example.com", and is not exported to the namespace "default"`},

		"subset of a wildcard rule": {orders + "DestinationRule a: {host: '*.default.svc.cluster.local', subsets: [{name: x, labels: {version: v1}}]}\nVirtualService a: {hosts: [orders], http: [{route: [{destination: {host: orders, subset: x}}]}]}", ""},
		"subset in a mirror":        {orders + "DestinationRule a: {host: orders, subsets: [{name: x, labels: {version: v1}}]}\nVirtualService a: {hosts: [orders], http: [{" + to + ", mirror: {host: orders, subset: x}}]}", ""},
		"subset of two labels":      {orders + "DestinationRule a: {host: orders, subsets: [{name: x, labels: {version: v1, tier: gold}}]}\nVirtualService a: {hosts: [orders], http: [{route: [{destination: {host: orders, subset: x}}]}]}", `warning DestinationRule/a: spec.subsets[0].labels: no endpoint of ServiceEntry/orders has the labels tier=gold,version=v1 of subset "x"`},
		"subset of unknown endpoints": {"Service orders: {ports: [{port: 80}]}\nDestinationRule a: {host: orders, subsets: [{name: x, labels: {version: v9}}]}\n" +
			"VirtualService a: {hosts: [orders], http: [{route: [{destination: {host: orders, subset: x}}]}]}", ""},

		"tries that fit":   {orders + "VirtualService a: {hosts: [orders], http: [{" + to + ", timeout: 4s, retries: {attempts: 1, perTryTimeout: 2s}}]}", ""},
		"no limit a try":   {orders + "VirtualService a: {hosts: [orders], http: [{" + to + ", timeout: 1s, retries: {attempts: 5}}]}", ""},
		"no timeout":       {orders + "VirtualService a: {hosts: [orders], http: [{" + to + ", retries: {attempts: 5, perTryTimeout: 2s}}]}", ""},
		"no retries":       {orders + "VirtualService a: {hosts: [orders], http: [{" + to + ", timeout: 1s, retries: {attempts: 0}}]}", ""},
		"usual retries":    {orders + "VirtualService a: {hosts: [orders], http: [{match: [{method: {exact: POST}}], " + to + "}, {" + to + "}]}", ""},
		"PATCH by a regex": {orders + "VirtualService a: {hosts: [orders], http: [{match: [{method: {regex: 'PUT|PATCH'}}], " + to + ", retries: {attempts: 1, retryOn: 'connect-failure,5xx'}}, {" + to + "}]}", `warning VirtualService/a: spec.http[0].retries: PATCH is repeated on "5xx": the request may have been executed, and is executed again`},
		"POST or PATCH":    {orders + "VirtualService a: {hosts: [orders], http: [{match: [{method: {prefix: P}}], " + to + ", retries: {attempts: 1, retryOn: reset}}, {" + to + "}]}", `warning VirtualService/a: spec.http[0].retries: POST or PATCH is repeated on "reset": the request may have been executed, and is executed again`},
		"any method":       {orders + "VirtualService a: {hosts: [orders], http: [{" + to + ", retries: {attempts: 1, retryOn: 5xx}}]}", ""},
		"429":              {orders + "VirtualService a: {hosts: [orders], http: [{match: [{method: {exact: POST}}], " + to + ", retries: {attempts: 1, retryOn: 'retriable-status-codes,429,reset-before-request'}}, {" + to + "}]}", ""},

		"limits that are not there": {orders + "DestinationRule a: {host: orders, trafficPolicy: {connectionPool: {http: {http2MaxRequests: 5}}}}", ""},
		"health with enough left":   {entryFor("orders", "v1", "v1", "v1") + "DestinationRule a: {host: orders, trafficPolicy: {outlierDetection: {maxEjectionPercent: 34, minHealthPercent: 66}}}", ""},

		"matches of one route": {orders + "VirtualService a: {hosts: [orders], http: [{match: [{uri: {prefix: /a}}, {uri: {prefix: /a/b}}], " + to + "}, {" + to + "}]}",
			"warning VirtualService/a: spec.http[0].match[1]: never decides: VirtualService/a spec.http[0].match[0] (a.yaml:3) takes all its requests"},
		"a route in parts": {orders + "VirtualService a: {hosts: [orders], http: [{match: [{uri: {prefix: /a}}, {uri: {regex: '/b.*'}}, {uri: {prefix: /a/b}}, {uri: {prefix: /c}}], rewrite: {uri: /}, " + to + "}, {" + to + "}]}",
			"warning VirtualService/a: spec.http[0].match[2]: never decides: VirtualService/a spec.http[0].match[0] (a.yaml:3) takes all its requests"},
		"matches for others": {orders + "VirtualService a: {hosts: [orders], http: [{match: [{sourceNamespace: other}, {uri: {prefix: /a}}, {uri: {prefix: /a/b}}], " + to + "}, {" + to + "}]}",
			"warning VirtualService/a: spec.http[0].match[2]: never decides: VirtualService/a spec.http[0].match[1] (a.yaml:3) takes all its requests"},
		"matches of other callers": {orders + "VirtualService a: {hosts: [orders], http: [{match: [{sourceLabels: {app: a}}], " + to + "}, {match: [{sourceLabels: {app: b}}, {uri: {prefix: /b}}], " + to + "}, {" + to + "}]}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := lintOf(t, LintOptions{MaxAttempts: -1}, c.text); got != c.want {
				t.Errorf("found:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// TestLintErrors: an error keeps the further checks from being made, and a configuration that is wrong is a finding.
func TestLintErrors(t *testing.T) {
	found, r := lintOf(t, LintOptions{}, entryFor("orders", "v1")+"DestinationRule a: {host: odrers}\nDestinationRule b: {hots: orders}")
	if want := `error DestinationRule/b: spec.hots: unknown field, did you mean "host"?`; found != want || r.State != nil || r.Resources != 3 {
		t.Errorf("%s; %+v", found, r)
	}
	if r := Lint(Config{}, LintOptions{}); r.Findings.Err() == nil {
		t.Error("no paths, and no error")
	}
	if r := Lint(Config{Paths: []string{t.TempDir()}, Namespace: "a.b"}, LintOptions{}); r.Findings.Err() == nil {
		t.Error("a bad namespace, and no error")
	}
}

// TestLintSuggestsABoundedNumberOfTimes: suggestions cost as much as there are names.
func TestLintSuggestsABoundedNumberOfTimes(t *testing.T) {
	var b strings.Builder
	b.WriteString(entryFor("orders", "v1"))
	for i := range maxMeant + 5 {
		fmt.Fprintf(&b, "DestinationRule a%d: {host: odrers}\n", i)
	}
	found, _ := lintOf(t, LintOptions{}, strings.ReplaceAll(b.String(), "host: odrers", "host: odrers.default.svc.cluster.local"))
	if n := strings.Count(found, "did you mean"); n > maxMeant {
		t.Errorf("%d suggestions", n)
	}
}
