package consultest_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/intramesh/intramesh/internal/consultest"
)

// TestBinary looks in places where no server is, and in one that is named.
func TestBinary(t *testing.T) {
	for _, c := range []struct{ name, home, binary, want string }{
		{name: "an empty cache", home: t.TempDir()},
		{name: "no home"},
		{name: "told not to", binary: "none"},
		{name: "another", binary: "/bin/other", want: "/bin/other"},
	} {
		got := ""
		ran := t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} {
				t.Setenv(name, c.home)
			}
			t.Setenv(consultest.BinaryEnv, c.binary)
			got = consultest.Binary(t) // skips where there is none
		})
		if !ran || got != c.want {
			t.Errorf("%s: found %q, want %q", c.name, got, c.want)
		}
	}
}

// TestBinaryInCache finds what stands where internal/consultool builds it.
func TestBinaryInCache(t *testing.T) {
	t.Setenv(consultest.BinaryEnv, "")
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("HOME", home)
	if runtime.GOOS == "darwin" {
		home = filepath.Join(home, "Library", "Caches")
	}
	want := filepath.Join(home, "intramesh", "consul-"+consultest.Version, "consul")
	if err := os.MkdirAll(filepath.Dir(want), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(want, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := consultest.Binary(t); got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}
