package filewatch

import (
	"os"
	"path/filepath"
	"testing"
)

// TestRights: a file that may be read at last is heard of where reading is told from that.
func TestRights(t *testing.T) {
	if !rights {
		t.Skip("changes of rights are left to polling on this system")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := dir + "/file"
	put(t, path, "")
	for name, follow := range map[string]func(*Watcher){
		"a file":   func(w *Watcher) { w.Follow(path) },
		"a folder": func(w *Watcher) { w.FollowAll(nil, []string{dir}) },
	} {
		t.Run(name, func(t *testing.T) {
			w, err := New()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			follow(w)
			if _, err := Read(path, 1); err != nil {
				t.Fatal(err)
			}
			if len(w.changes()) > 0 {
				t.Error("reading is taken for a change")
			}
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			<-w.changes()
		})
	}
}
