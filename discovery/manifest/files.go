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
}

// look finds all files under the paths, of which relative ones belong to base where it is given. The names of files are
// those that findings show: as short as the paths are.
func look(base string, paths []string) *tree {
	t := &tree{base: base}
	seen := map[string]bool{}
	for _, path := range paths {
		path = filepath.Clean(path)
		before := len(t.files) + len(t.findings)
		info, err := os.Stat(t.at(path))
		switch {
		case err != nil:
			t.bad(path, err)
		case info.IsDir():
			t.folder(path, seen)
			if len(t.files)+len(t.findings) == before {
				t.findings = append(t.findings, Finding{File: path, Why: "no file in this folder ends in .yaml, .yml or .json"})
			}
		default:
			t.file(path, seen)
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
	t.findings = append(t.findings, Finding{File: path, Why: plainError(t.at(path), err).Error()})
}

// folder takes the files of a folder and of those below it. Links to files are followed, as ConfigMap mounts need it; links
// to folders are not, because they can lead in circles.
func (t *tree) folder(dir string, seen map[string]bool) {
	entries, err := os.ReadDir(t.at(dir))
	if err != nil {
		t.bad(dir, err)
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case hidden(e.Name()):
		case e.IsDir():
			t.folder(path, seen)
		case e.Type()&fs.ModeSymlink != 0 && leadsToFolder(t.at(path)):
			t.findings = append(t.findings, Finding{File: path, Severity: Warning, Why: "a link to a folder, which is not followed"})
		case isManifest(e.Name()):
			t.file(path, seen)
		}
	}
}

func leadsToFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// file takes a file, once if it is reached by two paths.
func (t *tree) file(path string, seen map[string]bool) {
	key := filepath.Clean(path)
	if seen[key] {
		return
	}
	seen[key] = true
	t.files = append(t.files, file{name: path, path: t.at(path)})
}
