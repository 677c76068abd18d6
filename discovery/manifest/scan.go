package manifest

import (
	"io/fs"
	"os"
	"path/filepath"
)

// scan finds what is to be watched under the paths: folders, and links to files, whose targets may change elsewhere.
func scan(paths []string) (dirs, links []string) {
	for _, path := range paths {
		if leadsToFolder(path) {
			dirs, links = scanFolder(path, dirs, links)
		} else {
			links = append(links, path)
		}
	}
	return dirs, links
}

func scanFolder(dir string, dirs, links []string) (moreDirs, moreLinks []string) {
	dirs = append(dirs, dir)
	entries, _ := os.ReadDir(dir) // what cannot be read is told by who reads it
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case hidden(e.Name()):
		case e.IsDir():
			dirs, links = scanFolder(path, dirs, links)
		case e.Type()&fs.ModeSymlink != 0 && isManifest(e.Name()):
			links = append(links, path)
		}
	}
	return dirs, links
}
