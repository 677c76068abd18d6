// Package readmetest lets a test hold a program to the output that its README shows.
package readmetest

import (
	"os"
	"strings"
	"testing"
)

// Output is the first block of README.md in the test's folder that is fenced as ```text.
func Output(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```text\n")
	block, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatal("README.md has no ```text block")
	}
	return block
}
