package manifest

import "testing"

// TestSyntaxPlaces: of a text that is no YAML the line is told where it stops to be.
func TestSyntaxPlaces(t *testing.T) {
	const head = "apiVersion: v1\nkind: Service\n"
	for text, want := range map[string]string{
		"a: b: c\n":                                                        "1: not YAML: mapping values are not allowed in this context",
		head + "spec: a: b\n":                                              "3: not YAML: mapping values are not allowed in this context",
		head + "spec:\n\tports: []\n":                                      "4: not YAML: found character that cannot start any token",
		head + "metadata: {name: 'a}\n":                                    "3: not YAML: found unexpected end of stream",
		head + "ports: [1,\nmore: 2\n":                                     "3: not YAML: did not find expected ',' or ']'",
		head + "ports: {a: 1\nb: 2\n":                                      "3: not YAML: did not find expected ',' or '}'",
		head + "spec:\n  a: 1\n  b:\n  - x\n   - y\n  - z\n c: 2\n":        "9: not YAML: did not find expected key",
		head + "spec:\n  a: 1\n  b:\n  - {x: 1}\n  - [x]\n  c: 2\n d: 3\n": "9: not YAML: did not find expected key",
		head + "list:\n- a\n- b\nkey\n":                                    "6: not YAML: could not find expected ':'",
		head + "list:\n  - a\n  - b\n  c: d\n":                             "6: not YAML: did not find expected '-' indicator",
		head + "# \x01\n":                                                  "3: not YAML: control characters are not allowed",
		head + "spec: {a: \u0080}\n":                                       "3: not YAML: control characters are not allowed",
		head + "spec: {a: &b 1, c: *d}\n":                                  "3: not YAML: unknown anchor 'd' referenced",
		"a: [":                                                             "1: not YAML: did not find expected node content",
		good + "---\na: {":                                                 "6: not YAML: did not find expected node content",
		"a: *b\n":                                                          "1: not YAML: unknown anchor 'b' referenced",
	} {
		if got := findingsOf(t, Config{}, text); got != "error "+want {
			t.Errorf("%q\ngot  %s\nwant error %s", text, got, want)
		}
	}
}
