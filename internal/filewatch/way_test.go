package filewatch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWay(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"a", "b", "b/c"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir+"/b/c/file", "")
	for name, target := range map[string]string{
		"a/link": "../b/c/file", "d": "b", "abs": dir + "/b/c", "loop": "loop", "b/up": "c/../../a/link", "gone": "nowhere/file",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string][]string{
		"b/c/file":      {"b/c/file"},
		"a/link":        {"a/link", "b/c/file"},
		"d/c/file":      {"d", "b/c/file"},
		"abs/file":      {"abs", "b/c/file"},
		"d/up":          {"d", "b/up", "a/link", "b/c/file"},
		"a/none":        {"a/none"},
		"none/deep/er":  {"none"},
		"gone":          {"gone", "nowhere"},
		"b/c/file/what": {"b/c/file/what"},
	} {
		for i := range want {
			want[i] = filepath.Join(dir, want[i])
		}
		if d := cmp.Diff(want, way(filepath.Join(dir, path))); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
	if got := way(dir + "/loop"); len(got) != maxLinks+1 {
		t.Errorf("a loop has %d steps", len(got))
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
