// Package readmetest lets a test hold a program to the output that its README shows.
package readmetest

import (
	"os"
	"strings"
	"testing"
)

// Output is the first block of README.md in the test's folder that is fenced as ```text.
func Output(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```text\n")
	block, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		tb.Fatal("README.md has no ```text block")
	}
	return block
}
