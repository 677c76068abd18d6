package repotest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme checks that each piece of Go in the README, and the one in doc.go, stands in example_test.go, where it is
// compiled.
func TestReadme(t *testing.T) {
	compiled := flat(read(t, "example_test.go"))
	blocks := fenced(read(t, "README.md"))
	if len(blocks) < 4 {
		t.Errorf("found %d pieces of Go in README.md", len(blocks))
	}
	for _, b := range append(blocks, docExample(read(t, "doc.go"))) {
		if !strings.Contains(compiled, flat(b)) {
			t.Errorf("this is not in example_test.go:\n%s", b)
		}
	}
}

// TestReadmeLinks checks that what the README links to is there.
func TestReadmeLinks(t *testing.T) {
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		for _, part := range strings.Split(read(t, name), "](")[1:] {
			target, _, _ := strings.Cut(part, ")")
			if strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fenced are the blocks of Go in a Markdown text.
func fenced(text string) (blocks []string) {
	for _, part := range strings.Split(text, "```go\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

// docExample is the indented code in a package comment.
func docExample(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok {
			b.WriteString(code)
		}
	}
	return b.String()
}

// flat is text without what indentation and empty lines add.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }
