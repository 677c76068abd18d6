package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// misspelt is a resource in which the last field of a path has a letter too much, and the line where that is.
func misspelt(k *kind, path string) (text, wrong string, at int) {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nmetadata: {name: a}\n", joinVersion(k.group, k.versions[0]), k.name)
	at = 3
	steps := strings.Split(path, ".")
	indent := ""
	for i, s := range steps {
		name, list := strings.CutSuffix(s, "[]")
		name, keyed := strings.CutSuffix(name, "[key]")
		at++
		if i+1 == len(steps) {
			wrong = name + "x"
			fmt.Fprintf(&b, "%s%s: 1\n", indent, wrong)
			break
		}
		fmt.Fprintf(&b, "%s%s:\n", indent, name)
		indent = strings.ReplaceAll(indent, "- ", "  ")
		if keyed {
			at++
			fmt.Fprintf(&b, "%s  key:\n", indent)
			indent += "  "
		}
		if indent += "  "; list {
			indent += "- "
		}
	}
	return b.String(), wrong, at
}

// TestEveryMisspeltFieldHasALine: whoever misspells any field of any kind learns the line, and what was meant.
func TestEveryMisspeltFieldHasALine(t *testing.T) {
	tried := 0
	for i := range kinds {
		k := &kinds[i]
		for _, l := range walkKind(k, map[string]bool{}) {
			if strings.Contains(l.path, ": ") {
				continue // the value of an enumeration
			}
			text, wrong, at := misspelt(k, l.path)
			_, found := Parse(Config{}, map[string]string{"a.yaml": text})
			ok := false
			for _, f := range found {
				last := f.Field[strings.LastIndexByte(f.Field, '.')+1:]
				ok = ok || last == wrong && f.Line == at && f.Suggestion != "" && f.Severity == Error
			}
			if !ok {
				t.Fatalf("%s of %s:\n%s%v", l.path, k.name, text, found)
			}
			tried++
		}
	}
	t.Logf("tried %d fields", tried)
}
