package repotest

import (
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/api.txt anew")

// TestAPI compares what is exported with testdata/api.txt, so that a change to it is a decision.
func TestAPI(t *testing.T) {
	golden := filepath.Join("testdata", "api.txt")
	got := exported(t)
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("new: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("gone: %s", line)
		}
	}
	if t.Failed() {
		t.Log("if the change is meant: make api")
	}
}

// exported lists the API of all public packages, one line an identifier, sorted.
func exported(t *testing.T) []string {
	t.Helper()
	l := packages(t)
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		p := l.all[path]
		if p == nil {
			return nil, fmt.Errorf("no types for %s", path)
		}
		return os.Open(p.Export)
	})
	var lines []string
	for _, p := range l.own {
		if !p.public() {
			continue
		}
		tp, err := imp.Import(p.ImportPath)
		if err != nil {
			t.Fatal(err)
		}
		d := describer{pkg: tp, prefix: "pkg " + short(p.ImportPath) + ", "}
		lines = append(lines, d.describe()...)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// describer writes down one package.
type describer struct {
	pkg    *types.Package
	prefix string
	lines  []string
}

func (d *describer) describe() []string {
	for _, name := range d.pkg.Scope().Names() {
		if obj := d.pkg.Scope().Lookup(name); obj.Exported() {
			d.object(obj)
		}
	}
	return d.lines
}

func (d *describer) object(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Const:
		typ := strings.TrimPrefix(d.text(obj.Type()), "untyped ")
		d.addf("const %s %s = %s", obj.Name(), typ, obj.Val().ExactString())
	case *types.Var:
		d.addf("var %s %s", obj.Name(), d.text(obj.Type()))
	case *types.Func:
		d.addf("func %s%s", obj.Name(), strings.TrimPrefix(d.text(obj.Type()), "func"))
	case *types.TypeName:
		d.typeName(obj)
	}
}

func (d *describer) typeName(obj *types.TypeName) {
	name := obj.Name()
	if obj.IsAlias() {
		rhs := obj.Type().(*types.Alias).Rhs()
		d.addf("type %s = %s", name, d.text(rhs))
		if named, ok := rhs.(*types.Named); ok && strings.Contains(named.Obj().Pkg().Path(), "/internal") {
			d.members(name, named) // users reach it by this name alone
		}
		return
	}
	named := obj.Type().(*types.Named)
	var params []string
	for p := range named.TypeParams().TypeParams() {
		params = append(params, p.Obj().Name()+" "+d.text(p.Constraint()))
	}
	list := ""
	if params != nil {
		list = "[" + strings.Join(params, ", ") + "]"
	}
	switch u := named.Underlying().(type) {
	case *types.Struct:
		d.addf("type %s%s struct", name, list)
	case *types.Interface:
		d.addf("type %s%s interface", name, list)
	default:
		d.addf("type %s%s %s", name, list, d.text(u))
	}
	d.members(name, named)
}

// members lists fields and methods, with those that come from embedded types.
func (d *describer) members(name string, named *types.Named) {
	switch u := named.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if f.Embedded() && f.Exported() {
				d.addf("type %s struct, embeds %s", name, d.text(f.Type()))
			} else if f.Exported() {
				d.addf("type %s struct, %s %s", name, f.Name(), d.text(f.Type()))
			}
		}
	case *types.Interface:
		for m := range u.Methods() {
			if !m.Exported() {
				d.addf("type %s interface, unexported methods", name)
				continue
			}
			d.addf("type %s interface, %s%s", name, m.Name(), strings.TrimPrefix(d.text(m.Type()), "func"))
		}
		return
	}
	values := types.NewMethodSet(named)
	for sel := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		if !sel.Obj().Exported() {
			continue
		}
		receiver := name
		if values.Lookup(sel.Obj().Pkg(), sel.Obj().Name()) == nil {
			receiver = "*" + name
		}
		d.addf("method (%s) %s%s", receiver, sel.Obj().Name(), strings.TrimPrefix(d.text(sel.Type()), "func"))
	}
}

func (d *describer) addf(format string, args ...any) {
	d.lines = append(d.lines, d.prefix+fmt.Sprintf(format, args...))
}

// text is a type as it is written in the package's own code: other packages by their name.
func (d *describer) text(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == d.pkg {
			return ""
		}
		return p.Name()
	})
}
