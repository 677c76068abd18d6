package nearest

import (
	"slices"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	known := []string{"h2UpgradePolicy", "retries", "attempts", "host", "hosts", "perTryTimeout"}
	for name, want := range map[string]string{
		"retrys":            "retries",
		"atempts":           "attempts",
		"per_try_timeout":   "perTryTimeout",
		"HOSTS":             "hosts",
		"h2UpgradeElection": "h2UpgradePolicy", // it begins as that does
		"tserh":             "",
		"":                  "",
	} {
		if got := Name(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, tt := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"abc", "abc", 9, 0}, {"abc", "abd", 9, 1}, {"abc", "acb", 9, 1}, {"abc", "", 9, 3}, {"", "abcd", 9, 4}, {"abc", "xyz", 2, 2},
		{strings.Repeat("a", 65), "a", 9, 9},
	} {
		if got := Edits(tt.a, tt.b, tt.limit); got != tt.want {
			t.Errorf("%q to %q, at most %d: %d, want %d", tt.a, tt.b, tt.limit, got, tt.want)
		}
	}
}

// FuzzNearest never suggests a name that nobody knows.
func FuzzNearest(f *testing.F) {
	f.Add("h2UpgradeElection")
	f.Add("")
	f.Fuzz(func(t *testing.T, name string) {
		known := []string{"h2UpgradePolicy", "host", "hosts", "a", ""}
		got := Name(name, known)
		if got != "" && !slices.Contains(known, got) {
			t.Errorf("%q for %q", got, name)
		}
	})
}
