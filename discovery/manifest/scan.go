package manifest

import (
	"io/fs"
	"os"
	"path/filepath"
)

// scan finds what is to be watched under the paths: folders, and links to files, whose targets may change elsewhere.
func scan(paths []string) (dirs, links []string) {
	s := &scanner{seen: map[string]bool{}}
	for _, path := range paths {
		if leadsToFolder(path) {
			s.folder(path)
		} else {
			s.links = append(s.links, path)
		}
	}
	return s.dirs, s.links
}

type scanner struct {
	dirs, links []string
	seen        map[string]bool
}

// folder finds what is to be watched in a folder, as tree reads it. One that is reached a second time is watched by that way,
// too, since a link on it may change.
func (s *scanner) folder(dir string) {
	s.dirs = append(s.dirs, dir)
	target := realPath(dir)
	if s.seen[target] {
		return
	}
	s.seen[target] = true
	entries, _ := os.ReadDir(dir) // what cannot be read is told by who reads it
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case hidden(e.Name()):
		case isFolder(path, e):
			s.folder(path)
		case e.Type()&fs.ModeSymlink != 0 && isManifest(e.Name()):
			s.links = append(s.links, path)
		}
	}
}
