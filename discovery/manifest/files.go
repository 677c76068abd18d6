package manifest

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/internal/filewatch"
)

// file is a file to be read.
type file struct {
	name string
	path string // where it is found; empty: data is all there is
	data []byte
}

// read reads the file. An error says nothing of its name.
func (f file) read() ([]byte, error) {
	if f.path == "" {
		return f.data, nil
	}
	data, err := filewatch.Read(f.path, maxFile+1) // parse refuses what is longer
	return data, plainError(f.path, err)
}

// plainError is an error without the path, which a finding has.
func plainError(path string, err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return of.Err
	}
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), path+": "))
	}
	return nil
}

// isManifest says whether a file of a folder is read.
func isManifest(name string) bool {
	return !hidden(name) && slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}

// hidden leaves out what editors, git and ConfigMap mounts put beside files.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// tree is what was found under the paths.
type tree struct {
	base     string
	files    []file
	findings Findings
	seen     map[string]bool // files and folders that were reached
	reached  int             // how many manifests there were on the way, and folders that had been read before
}

// look finds all files under the paths, of which relative ones belong to base where it is given. The names of files are
// those that findings show: as short as the paths are.
func look(base string, paths []string) *tree {
	t := &tree{base: base, seen: map[string]bool{}}
	for _, path := range paths {
		path = filepath.Clean(path)
		before := t.reached
		info, err := os.Stat(t.at(path))
		switch {
		case err != nil:
			t.bad(path, err)
		case info.IsDir():
			t.folder(path)
			if t.reached == before {
				t.findings = append(t.findings, Finding{File: path, Why: "no file in this folder ends in .yaml, .yml or .json"})
			}
		default:
			t.file(path, realPath(filepath.Dir(t.at(path))))
		}
	}
	slices.SortFunc(t.files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return t
}

// at is where a path is found.
func (t *tree) at(path string) string {
	if filepath.IsAbs(path) || t.base == "" {
		return path
	}
	return filepath.Join(t.base, path)
}

func (t *tree) bad(path string, err error) {
	t.reached++
	t.findings = append(t.findings, Finding{File: path, Why: plainError(t.at(path), err).Error()})
}

// folder takes the files of a folder and of those below it. Links are followed, to files and to folders, as ConfigMap mounts
// need it; because they can lead in circles, a folder is read once.
func (t *tree) folder(dir string) {
	in := realPath(t.at(dir))
	if t.again(in) {
		return
	}
	entries, err := os.ReadDir(t.at(dir))
	if err != nil {
		t.bad(dir, err)
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case hidden(e.Name()):
		case isFolder(t.at(path), e):
			t.folder(path)
		case isManifest(e.Name()):
			t.file(path, in)
		}
	}
}

// file takes a file, of a folder without links on the way.
func (t *tree) file(path, in string) {
	if !t.again(filepath.Join(in, filepath.Base(path))) {
		t.reached++
		t.files = append(t.files, file{name: path, path: t.at(path)})
	}
}

// again says whether something was reached before.
func (t *tree) again(path string) bool {
	if t.seen[path] {
		t.reached++
		return true
	}
	t.seen[path] = true
	return false
}

// realPath is a path without links, as far as there are such things.
func realPath(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// isFolder says whether an entry is a folder, or a link to one.
func isFolder(path string, e fs.DirEntry) bool {
	return e.IsDir() || e.Type()&fs.ModeSymlink != 0 && leadsToFolder(path)
}

func leadsToFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
