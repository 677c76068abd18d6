package repotest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocs checks that every package and everything exported has a comment that says what it is for.
func TestDocs(t *testing.T) {
	for _, p := range packages(t).own {
		documented := false
		for _, f := range parse(t, p) {
			documented = documented || f.Doc != nil
			for _, name := range undocumented(f) {
				t.Errorf("%s: %s is exported and has no comment", short(p.ImportPath), name)
			}
		}
		if !documented {
			t.Errorf("%s has no package comment", short(p.ImportPath))
		}
	}
}

// TestConstructorsHaveExamples checks that every public New... has an Example.
func TestConstructorsHaveExamples(t *testing.T) {
	for _, p := range packages(t).own {
		if !p.public() {
			continue
		}
		examples := make(map[string]bool)
		tests, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range parseFiles(t, tests) {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					name, _, _ := strings.Cut(strings.TrimPrefix(fn.Name.Name, "Example"), "_")
					examples[name] = true
				}
			}
		}
		for _, f := range parse(t, p) {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "New") && !examples[fn.Name.Name] {
					t.Errorf("%s.%s has no Example", short(p.ImportPath), fn.Name.Name)
				}
			}
		}
	}
}

func parse(t *testing.T, p *pkg) []*ast.File {
	t.Helper()
	var paths []string
	for _, name := range p.GoFiles {
		paths = append(paths, filepath.Join(p.Dir, name))
	}
	return parseFiles(t, paths)
}

func parseFiles(t *testing.T, paths []string) []*ast.File {
	t.Helper()
	var files []*ast.File
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// undocumented lists what a file exports without a comment. A group of constants or variables may have one for all.
func undocumented(f *ast.File) (names []string) {
	if ast.IsGenerated(f) {
		return nil
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || !selfEvident(d)) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				names = append(names, undocumentedSpec(s, d.Doc != nil)...)
			}
		}
	}
	return names
}

// selfEvident says whether a method needs no comment: its receiver is not exported, or its name says all.
func selfEvident(d *ast.FuncDecl) bool {
	recv := d.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	switch x := recv.(type) {
	case *ast.IndexExpr:
		recv = x.X
	case *ast.IndexListExpr:
		recv = x.X
	}
	id, ok := recv.(*ast.Ident)
	return ok && !id.IsExported() || d.Name.Name == "String" || d.Name.Name == "Error"
}

func undocumentedSpec(s ast.Spec, groupDoc bool) (names []string) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && !groupDoc {
			names = append(names, s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, id := range s.Names {
			if id.IsExported() && s.Doc == nil && s.Comment == nil && !groupDoc {
				names = append(names, id.Name)
			}
		}
	}
	return names
}
