package repotest

import (
	"slices"
	"strings"
	"testing"
)

// layer is a row of the table of what imports what, from the bottom up.
type layer struct {
	packages []string // and what is below them, unless a row above names it
	imports  []string // packages of this module, and what is below them
	modules  []string // libraries of others beside the standard one
}

var (
	base   = []string{"internal/call", "internal/snapshot", "internal/nearest"}
	fields = []string{"discovery", "discovery/balance", "resilience", "security", "telemetry"}
	inner  = []string{"client/traffic", "internal/stack", "internal/httpwire", "internal/meshtls"}
	files  = []string{"internal/filewatch"}
	ask    = []string{"internal/again"}
	texts  = []string{"internal/jsonyaml"}
	wait   = []string{"github.com/cenkalti/backoff/v4"} // whoever tries again backs off, by the same library
	grpc   = []string{"google.golang.org/grpc", "google.golang.org/protobuf"}
)

// layers is ordered from the particular to the general: the first row that fits a package is its row.
var layers = []layer{
	// Facts and tools that everything may use.
	{packages: []string{"internal/call", "internal/snapshot", "internal/memnet", "internal/jsonyaml", "internal/nearest"}},
	{packages: files, modules: []string{"github.com/fsnotify/fsnotify"}},
	{packages: ask, modules: wait},

	// Planes produce data for clients and servers, and never import them.
	{packages: []string{"discovery/manifest", "discovery/consul", "discovery/kubernetes", "discovery/xds"},
		imports: join(base, fields, files, ask, texts, []string{"client/traffic"}),
		modules: join(wait, []string{"go.yaml.in/yaml/v3", "istio.io/api", "sigs.k8s.io/gateway-api", "google.golang.org/protobuf", "github.com/hashicorp/consul/api"})},
	{packages: []string{"telemetry/admin"}, imports: join(base, fields, inner, []string{"client", "server"})},

	// The four fields know nothing of each other. They report through what is in internal/call.
	{packages: []string{"discovery/balance"}, imports: join(base, []string{"discovery"}), modules: []string{"github.com/cespare/xxhash/v2"}},
	{packages: []string{"discovery"}, imports: join(base, files, ask, texts), modules: join(wait, []string{"go.yaml.in/yaml/v3"})},
	{packages: []string{"resilience"}, imports: base, modules: join(wait, []string{"github.com/sony/gobreaker/v2", "golang.org/x/time"})},
	{packages: []string{"security"}, imports: join(base, files), modules: []string{"github.com/spiffe/go-spiffe/v2", "github.com/go-jose/go-jose/v4"}},
	{packages: []string{"telemetry"}, imports: base, modules: []string{"go.opentelemetry.io/otel"}},

	// The call path.
	{packages: []string{"client/traffic"}, imports: join(base, fields), modules: []string{"github.com/cespare/xxhash/v2"}},
	{packages: []string{"internal/stack", "internal/httpwire", "internal/meshtls"}, imports: join(base, fields, inner, ask)},

	// The rims. What needs grpc stands in a package of its own: an HTTP-only program would be twice as large.
	{packages: []string{"client/clientgrpc"}, imports: join(base, fields, inner, []string{"client"}), modules: grpc},
	{packages: []string{"server/servergrpc"}, imports: join(base, fields, inner, []string{"server"}), modules: grpc},
	{packages: []string{"server/gateway"}, imports: join(base, fields, inner, []string{"client", "server"})},
	{packages: []string{"client"}, imports: join(base, fields, inner)},
	{packages: []string{"server"}, imports: join(base, fields, inner)},

	// Tests of the whole, with no code of their own.
	{packages: []string{"internal/matrix"}},

	// The root package is documentation.
	{packages: []string{"."}},
}

// TestLayering checks every import of every package. Packages for tests and examples have rules of their own below.
func TestLayering(t *testing.T) {
	for _, p := range packages(t).own {
		path := short(p.ImportPath)
		if p.forTests() || within(path, "examples") {
			continue
		}
		if rowOf(path) < 0 {
			t.Errorf("%s stands in no layer: give it a row in the table of this test", path)
			continue
		}
		for _, imp := range p.Imports {
			if !allowed(path, imp) {
				t.Errorf("%s imports %s, which its layer does not allow", path, short(imp))
			}
		}
	}
}

// rowOf is the number of a package's row, or -1.
func rowOf(path string) int {
	return slices.IndexFunc(layers, func(l layer) bool { return withinAny(path, l.packages) })
}

// allowed says whether a package may import another. Leave to import a folder is leave for all that shares its row:
// client does not stand for client/clientgrpc, security does for security/jwt.
func allowed(from, imp string) bool {
	row := rowOf(from)
	if !within(imp, module) {
		return standard(imp) || withinAny(imp, layers[row].modules)
	}
	to := short(imp)
	stands := func(dir string) bool { return within(to, dir) && rowOf(to) == rowOf(dir) }
	sibling := func(dir string) bool { return within(from, dir) && stands(dir) }
	return slices.ContainsFunc(layers[row].imports, stands) || slices.ContainsFunc(layers[row].packages, sibling)
}

// standard says whether an import path belongs to the standard library: its first element has no dot.
func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}

func join(lists ...[]string) []string { return slices.Concat(lists...) }

// TestExamplesImportPublicPackages keeps the examples copyable.
func TestExamplesImportPublicPackages(t *testing.T) {
	for _, p := range packages(t).own {
		if !within(short(p.ImportPath), "examples") {
			continue
		}
		for _, imp := range p.Imports {
			if within(short(imp), "internal") {
				t.Errorf("%s imports %s: an example must work when it is copied", short(p.ImportPath), short(imp))
			}
		}
	}
}

// TestLinks checks what programs carry with them, by whatever way it gets in.
func TestLinks(t *testing.T) {
	httpOnly := []string{"client", "server", "discovery", "discovery/balance", "resilience", "security"}
	for _, p := range packages(t).own {
		path := short(p.ImportPath)
		forbid := func(what, why string) {
			for _, dep := range p.Deps {
				if within(dep, what) {
					t.Errorf("%s links %s: %s", path, dep, why)
				}
			}
		}
		if slices.Contains(httpOnly, path) {
			forbid("google.golang.org/grpc", "a program that speaks HTTP only would be twice as large")
		}
		if within(path, "examples") {
			continue
		}
		forbid("go.opentelemetry.io/otel/sdk", "which SDK to use is the program's choice")
		if !p.forTests() {
			forbid("testing", "it belongs into packages for tests")
			forbid(module+"/internal/memnet", "it belongs into packages for tests")
		}
	}
	for _, path := range httpOnly {
		if packages(t).all[module+"/"+path] == nil {
			t.Errorf("there is no package %s: is this test out of date?", path)
		}
	}
}

// TestRulesBite shows that the table refuses what it must refuse.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct {
		from, imp string
		want      bool
	}{
		{"client", module + "/discovery", true},
		{"client", module + "/discovery/balance", true},
		{"client", module + "/internal/stack", true},
		{"client", module + "/server", false},
		{"server", module + "/client", false},
		{"client", module + "/client/clientgrpc", false},
		{"client", module + "/discovery/consul", false},
		{"client", "google.golang.org/grpc/status", false},
		{"client/clientgrpc", "google.golang.org/grpc/status", true},
		{"client/clientgrpc", module + "/client", true},
		{"client/clientgrpc", module + "/server", false},
		{"resilience", module + "/discovery", false},
		{"security/jwt", module + "/security", true},
		{"security/jwt", module + "/telemetry", false},
		{"client", module + "/security/jwt", true},
		{"discovery", module + "/discovery/balance", false},
		{"discovery/balance", module + "/discovery", true},
		{"internal/call", "net/http", true},
		{"internal/call", module + "/internal/snapshot", false},
		{"internal/stack", module + "/client", false},
		{"discovery/manifest", module + "/client", false},
		{"discovery/manifest", module + "/client/traffic", true},
	} {
		if got := allowed(c.from, c.imp); got != c.want {
			t.Errorf("%s may import %s: %t, want %t", c.from, short(c.imp), got, c.want)
		}
	}
}
