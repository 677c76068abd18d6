package repotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/intramesh/intramesh"
)

// pkg is what `go list` says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Dir        string
	Export     string // a file with the types of what it exports
	GoFiles    []string
	Imports    []string
	Deps       []string
	Standard   bool
	Error      *struct{ Err string }
}

// own are the packages of this module, and all is them and everything that they link, by import path.
type listing struct {
	own []*pkg
	all map[string]*pkg
}

// list asks the go command once for all tests. Test files do not count: they may import what they like.
var list = sync.OnceValues(func() (*listing, error) {
	if err := readSources(); err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-export", "-deps",
		"-json=ImportPath,Name,Dir,Export,GoFiles,Imports,Deps,Standard,Error", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(err, errors.New(stderr.String()))
	}
	l := &listing{all: make(map[string]*pkg)}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return l, nil
		} else if err != nil {
			return nil, err
		}
		l.all[p.ImportPath] = p
		if short(p.ImportPath) != p.ImportPath {
			l.own = append(l.own, p)
		}
	}
})

func packages(t *testing.T) *listing {
	t.Helper()
	l, err := list()
	if err != nil {
		t.Fatal(err)
	}
	if len(l.own) < 5 {
		t.Fatalf("found %d packages only: is the path of the module right?", len(l.own))
	}
	return l
}

// readSources looks at every source file, because the go command takes a test's result from its cache unless a file
// changed that the test itself has opened, and what `go list` opens does not count.
func readSources() error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if name := d.Name(); strings.HasSuffix(name, ".go") || name == "go.mod" {
			_, err = os.Stat(path)
		}
		return err
	})
}

// short is an import path of this module without the module's own: "client/clientgrpc", and "." for the root. Other
// paths stay as they are.
func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// public says whether users may import a package.
func (p *pkg) public() bool {
	s := short(p.ImportPath)
	return p.Name != "main" && !within(s, "internal") && !within(s, "examples") && !strings.Contains(s, "/internal")
}

// forTests says whether a package exists for tests, as discoverytest does.
func (p *pkg) forTests() bool { return strings.HasSuffix(p.Name, "test") }

// within says whether path is dir or below it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func withinAny(path string, dirs []string) bool {
	for _, dir := range dirs {
		if within(path, dir) {
			return true
		}
	}
	return false
}
