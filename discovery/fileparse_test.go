package discovery

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodFile = `# the shop
services:
  orders:
    - addr: 127.0.0.1:8080
      zone: a
      region: eu
      subzone: rack-7
      weight: 2
      metadata: {version: v1}
      id: spiffe://shop/orders
    - 127.0.0.1:8081        # a plain string is an endpoint too
  "stock:9090":
  - unix:/run/stock.sock
  reviews: []
`

func TestParseFile(t *testing.T) {
	want := map[string][]Endpoint{
		"orders": {
			{Addr: "127.0.0.1:8080", Zone: "a", Region: "eu", SubZone: "rack-7", Weight: 2,
				Metadata: map[string]string{"version": "v1"}, ID: "spiffe://shop/orders"},
			{Addr: "127.0.0.1:8081"},
		},
		"stock:9090": {{Addr: "unix:/run/stock.sock"}},
		"reviews":    {},
	}
	asJSON := `{"services": {
	"orders": [
		{"addr": "127.0.0.1:8080", "zone": "a", "region": "eu", "subzone": "rack-7", "weight": 2,
		 "metadata": {"version": "v1"},
		 "id": "spiffe:\/\/shop\/orders"},
		"127.0.0.1:8081"],
	"stock:9090": ["unix:/run/stock.sock"], "reviews": []
}}`
	for name, text := range map[string]string{
		"yaml": goodFile, "json": asJSON, "crlf": strings.ReplaceAll(goodFile, "\n", "\r\n"), "bom": "\ufeff" + goodFile,
		"marked": "---\n" + goodFile + "...\n",
	} {
		got, err := parseFile("f.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestParseFileWithoutServices(t *testing.T) {
	got, err := parseFile("f.yaml", []byte("services: {}"))
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestParseFileErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {"", "f.yaml:1: empty"},
		"only a comment":    {"# nothing\n", "f.yaml:1: empty"},
		"null":              {"null\n", "f.yaml:1: empty"},
		"a list":            {"- a\n", "f.yaml:1: a list; want a mapping"},
		"no services":       {"{}\n", `f.yaml:1: no field "services"`},
		"unknown field":     {"service: {}\n", `f.yaml:1: unknown field "service"; known: services`},
		"services is null":  {"services:\n", "f.yaml:1: services: nothing; want a mapping"},
		"services is list":  {"services: []\n", "f.yaml:1: services: a list; want a mapping"},
		"service is null":   {"services:\n  a: []\n  b:\n", "f.yaml:3: services.b: nothing; want a list"},
		"service is text":   {"services: {b: h:1}\n", `f.yaml:1: services.b: "h:1", read as !!str; want a list`},
		"service twice":     {"services:\n  a: []\n  a: []\n", `f.yaml:3: services: "a" is there twice, first in line 2`},
		"service name":      {"services: {a b: []}\n", `f.yaml:1: services: service "a b"`},
		"service number":    {"services: {1: []}\n", `f.yaml:1: services: "1", read as !!int as a key`},
		"addr twice":        {"services:\n  a:\n  - h:1\n  - addr: h:1\n", "f.yaml:4: services.a[1]: addr \"h:1\" is listed twice, first in line 3"},
		"no addr":           {"services:\n  a:\n  - zone: x\n", "f.yaml:3: services.a[0]: addr is empty"},
		"bad addr":          {"services:\n  a:\n  - h:99999\n", "f.yaml:3: services.a[0]: addr \"h:99999\": port"},
		"null addr":         {"services:\n  a:\n  -\n", "f.yaml:3: services.a[0]: nothing; want a string"},
		"unknown attribute": {"services:\n  a:\n  - addr: h:1\n    wieght: 2\n", `f.yaml:4: services.a[0]: unknown field "wieght"; known: addr`},
		"attribute twice":   {"services:\n  a:\n  - addr: h:1\n    addr: h:2\n", `f.yaml:4: services.a[0]: "addr" is there twice`},
		"weight 0":          {"services: {a: [{addr: h:1, weight: 0}]}", "services.a[0].weight: \"0\", read as !!int; want a number from 1"},
		"weight too big":    {"services: {a: [{addr: h:1, weight: 4294967296}]}", "services.a[0].weight"},
		"weight negative":   {"services: {a: [{addr: h:1, weight: -1}]}", "services.a[0].weight"},
		"weight fraction":   {"services: {a: [{addr: h:1, weight: 1.5}]}", "services.a[0].weight"},
		"weight text":       {"services: {a: [{addr: h:1, weight: '2'}]}", "services.a[0].weight"},
		"weight null":       {"services: {a: [{addr: h:1, weight: }]}", "services.a[0].weight"},
		"subzone number":    {"services: {a: [{addr: h:1, subzone: 1}]}", "services.a[0].subzone: \"1\", read as !!int; want a string"},
		"zone number":       {"services: {a: [{addr: h:1, zone: 1}]}", "services.a[0].zone: \"1\", read as !!int; want a string"},
		"metadata number":   {"services: {a: [{addr: h:1, metadata: {v: 1.10}}]}", `services.a[0].metadata.v: "1.10", read as !!float`},
		"metadata list":     {"services: {a: [{addr: h:1, metadata: [v]}]}", "services.a[0].metadata: a list; want a mapping"},
		"id":                {"services: {a: [{addr: h:1, id: orders}]}", `services.a[0]: id "orders"`},
		"alias":             {"services:\n  a: &a [h:1]\n  b: *a\n", "f.yaml:3: services.b: an alias (aliases are not supported)"},
		"merge key":         {"services: {a: [{<<: {addr: h:1}}]}", "services.a[0]: \"<<\", read as !!merge as a key"},
		"own tag":           {"services: {a: [!x h:1]}", "services.a[0]: \"h:1\", read as !x; want a string"},
		"second document":   {"services: {}\n---\nservices: {}\n", "a second document"},
		"bad after it":      {"services: {}\n---\n[", "f.yaml: yaml: line"},
		"cut off":           {"services: {a: [h:1", "f.yaml: yaml: line 1"},
		"not UTF-8":         {"services:\n  a: [\"\xff\"]\n", "f.yaml:2: not UTF-8"},
		"too large":         {strings.Repeat("#", maxFile+1), "larger than 16 MiB"},
	} {
		got, err := parseFile("f.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("%s: got %v, %v; expected something of %q", name, got, err, c.want)
		}
	}
}

func TestParseFileTellsSeveralErrorsAndNotAll(t *testing.T) {
	var b strings.Builder
	b.WriteString("services:\n  a:\n")
	for range 100 {
		b.WriteString("  - nowhere\n")
	}
	_, err := parseFile("f.yaml", []byte(b.String()))
	if err == nil || strings.Count(err.Error(), "nowhere") != maxFileErrors {
		t.Errorf("got %v", err)
	}
}

// What is JSON is read as JSON, escapes included.
func TestParseFileReadsJSONEscapes(t *testing.T) {
	text := `{"services": {"a": [{"addr": "h:1", "zone": "\ud83d\ude00 \u00e9\\/\/\"\n\\ud83d"}]}}`
	got, err := parseFile("f.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if zone, want := got["a"][0].Zone, "\U0001F600 \u00e9\\//\"\n\\ud83d"; zone != want {
		t.Errorf("got %q, expected %q", zone, want)
	}
}

// The bomb has 10^9 endpoints when its aliases are expanded.
func TestParseFileRefusesABomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("services:\n  s0: &a0 [h:1,h:2,h:3,h:4,h:5,h:6,h:7,h:8,h:9,h:10]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "  s%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	if _, err := parseFile("f.yaml", []byte(b.String())); err == nil || !strings.Contains(err.Error(), "alias") {
		t.Errorf("got %v", err)
	}
}

// Whatever a file holds, it is an error with the file's name, or endpoints that may be reported.
func FuzzParseFile(f *testing.F) {
	f.Add([]byte(goodFile))
	for _, s := range []string{
		"", "services: {}", `{"services":{"a":["h:1",{"addr":"h:2","weight":3}]}}`, "services:\n  a: &a [h:1]\n  b: *a\n",
		"services: {a: [{addr: h:1, metadata: {v: \"1\"}, id: spiffe://d/x}]}", "- - - -", "? [a]\n: b", "a: b: c", "%YAML 1.1\n---\n",
		`{"services":{"a":[{"addr":"h:1","zone":"\ud83d\ude00\/"}]}}`, "services: {a: [!!binary aGVsbG8=]}", "services: {a: [2001-01-01]}", "\xff\xfe", "services:\n\ta: []",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		services, err := parseFile("f.yaml", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml:") || services != nil {
				t.Errorf("got %v, %v", services, err)
			}
			return
		}
		for name, endpoints := range services {
			if err := validName(name); err != nil {
				t.Error(err)
			}
			if err := validSet(name, endpoints); err != nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkParseFile(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("services:\n  orders:\n")
	for _, e := range thousands(10_000) {
		fmt.Fprintf(&text, "  - addr: %s\n    zone: %s\n", e.Addr, e.Zone)
	}
	for b.Loop() {
		if _, err := parseFile("f.yaml", text.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
