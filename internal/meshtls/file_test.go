package meshtls

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// What is on disk is taken at the next look, and the last that was good holds while nothing good is there.
func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	put := func(s string) func() error { return func() error { return os.WriteFile(name, []byte(s), 0o600) } }
	parsed := 0
	f := &file[string]{names: []string{name}, parse: func(_ []string, texts [][]byte) (string, error) {
		parsed++
		if string(texts[0]) == "bad" {
			return "", errors.New("bad")
		}
		return string(texts[0]), nil
	}}
	for _, step := range []struct {
		do     func() error
		want   string
		fails  bool
		parsed int
	}{
		{nil, "", true, 0}, {put("bad"), "", true, 1}, {put("one"), "one", false, 2}, {nil, "one", false, 2},
		{put("bad"), "one", false, 3}, {func() error { return os.Remove(name) }, "one", false, 3}, {put("two"), "two", false, 4},
	} {
		if step.do != nil {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := f.now(); got != step.want || (err != nil) != step.fails || parsed != step.parsed {
			t.Errorf("%+v: got %q, %v, parsed %d times", step, got, err, parsed)
		}
	}
}
