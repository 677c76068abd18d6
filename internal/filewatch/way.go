package filewatch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symlinks are followed on the way to a file; Linux gives up after as many.
const maxLinks = 40

// ways lists what matters to any of the paths.
func ways(paths []string) (entries []string) {
	for _, path := range paths {
		entries = append(entries, way(path)...)
	}
	return entries
}

// way lists the entries of directories that decide what an absolute path leads to: each symlink on the way, and in the
// end the file, or the first thing that is missing.
func way(path string) (entries []string) {
	const root = string(filepath.Separator)
	done, todo := root, strings.Split(path, root)
	for links := 0; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..": // of the directory that was reached, where no symlink is left
			done = filepath.Dir(done)
			continue
		}
		at := filepath.Join(done, name)
		target, err := os.Readlink(at)
		switch {
		case err == nil && links < maxLinks:
			links++
			entries = append(entries, at)
			if filepath.IsAbs(target) {
				done = root
			}
			todo = append(strings.Split(target, root), todo...)
		case errors.Is(err, fs.ErrNotExist):
			return append(entries, at)
		default:
			done = at
		}
	}
	return append(entries, done)
}
