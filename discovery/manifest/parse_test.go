package manifest

import (
	"regexp"
	"strings"
	"testing"
)

// findings are those of one file, without its name, one a line.
func findingsOf(t *testing.T, cfg Config, text string) string {
	t.Helper()
	_, found := Parse(cfg, map[string]string{"a.yaml": text})
	var lines []string
	for _, f := range found {
		lines = append(lines, f.Severity.String()+" "+strings.TrimPrefix(f.Error(), "a.yaml:"))
	}
	return strings.Join(lines, "\n")
}

const good = "apiVersion: v1\nkind: Service\nmetadata: {name: orders}\nspec: {ports: [{port: 80}]}\n"

func TestParseFindings(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"good":         {good, ""},
		"empty":        {"", "error  empty; where that is meant, a comment says so"},
		"blank":        {" \n\n", "error  empty; where that is meant, a comment says so"},
		"strange key":  {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {\"x\\n1: \\e[0m\": 1}\n", `error 4: Service/a: spec.x\n1: \x1b[0m: unknown field`},
		"strange name": {"apiVersion: v1\nkind: Service\nmetadata: {name: \"a\\nb\"}\nspec: {x: 1}\n", "error 3: Service/a\\nb: metadata: name \"a\\nb\": want lower case letters, digits, \"-\" and \".\"\nerror 4: Service/a\\nb: spec.x: unknown field"},
		"nothing":      {"# nothing yet\n", ""},
		"comments":     {"# nothing\n---\n---\n" + good + "---\n# nothing\n", ""},
		"json":         {`{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","annotations":{"x":"\/\ud83d\ude00"}},"spec":{"ports":[{"port":80}]}}`, ""},
		"list":         {"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {prts: []}}\n", `error 4: Service/a: spec.prts: unknown field, did you mean "ports"?`},
		"list in list": {"{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: List, items: []}]}", "error 1: a list in a list"},
		"misspelt": {
			"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: orders\nspec:\n  hosts: orders\n",
			`error 6: DestinationRule/orders: spec.hosts: unknown field, did you mean "host"?`,
		},
		"broken":         {"a: [", "error 1: not YAML: did not find expected node content"},
		"twice":          {"apiVersion: v1\nkind: Service\nkind: Service\nmetadata: {name: a}\nspec: {}\n", `error 3: "kind" is there twice, first in line 2`},
		"version":        {strings.Replace(good, "v1", "v2", 1), `error 1: Service/orders: apiVersion: version "v2" of Service is not known, did you mean "v1"?`},
		"kind":           {strings.Replace(good, "Service", "Servise", 1), `error 2: Servise/orders: kind: unknown kind "Servise" of "v1", did you mean "Service"?`},
		"group":          {strings.Replace(good, "v1\n", "networking.istio/v1\n", 1), `error 1: Service/orders: apiVersion: "networking.istio/v1" has no kind "Service", did you mean "v1"?`},
		"well-known":     {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: orders}\n", "warning 1: Deployment/orders: Deployment does not concern this plane and is left out"},
		"not a resource": {"a: 1\n", "error 1: no apiVersion: not a resource"},
		"a text":         {"hello\n", `error 1: "hello", which is a text; want a resource with apiVersion and kind`},
		"no name":        {strings.Replace(good, "name", "namespace", 1), "error 3: Service: metadata: no name"},
		"number as text": {strings.Replace(good, "orders", "7", 1), `error 3: Service: metadata.name: "7", which is a number; want a text, did you mean "\"7\""?`},
		"text as number": {strings.Replace(good, "80", `"80"`, 1), `error 4: Service/orders: spec.ports[0].port: "80", which is a text; want a whole number`},
		"old bool":       {strings.Replace(good, "orders", "no", 1), `error 3: Service: metadata.name: no without quotes is true or false to the tools of Kubernetes; put it into quotes`},
		"anchors":        {"apiVersion: v1\nkind: Service\nmetadata: &m {name: a, labels: {x: y}}\nspec: {ports: [&p {port: 80, name: a}, {<<: *p, port: 81, name: b}]}\n", ""},
		"cycle":          {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {healthCheckNodePort: &a {b: *a}}\n", "error 4: Service/a: spec: nested more than 64 deep"},
	} {
		t.Run(name, func(t *testing.T) {
			got := findingsOf(t, Config{}, c.text)
			if name == "cycle" {
				got = regexp.MustCompile(`spec\S+`).ReplaceAllString(got, "spec:")
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
