package manifest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var update = flag.Bool("update", false, "write FIELDS.md anew")

// line is a field of a kind, as FIELDS.md has it.
type line struct {
	path, key string
	rule      rule
	known     bool
}

// fieldWalk goes through all fields of all kinds, as far as a rule lets a value get.
type fieldWalk struct {
	lines []line
	keys  map[string]bool // all that exist, of what is refused too
}

func (w *fieldWalk) proto(m protoreflect.MessageDescriptor, path string, shown bool, around ...string) {
	name := messageName(m)
	if slices.Contains(around, name) {
		return
	}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		key := name + "." + f.JSONName()
		r, known := istioRules[key]
		at := path + "." + f.JSONName()
		if f.IsList() {
			at += "[]"
		}
		w.field(line{at, key, r, known}, shown)
		below := shown && r.use.opens()
		w.values(f, key, at, below)
		if f.IsMap() {
			f = f.MapValue()
			at += "[key]"
		}
		if f.Message() != nil && !strings.HasPrefix(string(f.Message().FullName()), "google.protobuf.") {
			w.proto(f.Message(), at, below, append(around, name)...)
		}
	}
}

func (w *fieldWalk) values(f protoreflect.FieldDescriptor, key, path string, shown bool) {
	if f.Enum() == nil {
		return
	}
	for i := range f.Enum().Values().Len() {
		value := string(f.Enum().Values().Get(i).Name())
		w.keys[key+"="+value] = true
		if r, has := istioRules[key+"="+value]; has && shown {
			w.lines = append(w.lines, line{path + ": " + value, key, r, true})
		}
	}
}

func (w *fieldWalk) field(l line, shown bool) {
	w.keys[l.key] = true
	if shown {
		w.lines = append(w.lines, l)
	}
}

func (w *fieldWalk) golang(t reflect.Type, path string, shown bool) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			w.golang(f.Type, path, shown)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		key := typeName(t) + "." + name
		r, known := goRules[key]
		at, sub := path+"."+name, f.Type
		for sub.Kind() == reflect.Pointer || sub.Kind() == reflect.Slice || sub.Kind() == reflect.Map {
			switch sub.Kind() {
			case reflect.Slice:
				at += "[]"
			case reflect.Map:
				at += "[key]"
			}
			sub = sub.Elem()
		}
		w.field(line{at, key, r, known}, shown)
		if sub.Kind() == reflect.Struct && sub != reflect.TypeFor[instant]() {
			w.golang(sub, at, shown && r.use.opens())
		}
	}
}

// walkKind lists the fields of a kind.
func walkKind(k *kind, keys map[string]bool) []line {
	w := &fieldWalk{keys: keys}
	path := "spec"
	if k.flat {
		path = ""
	}
	if m, is := k.fresh().(proto.Message); is {
		w.proto(m.ProtoReflect().Descriptor(), path, true)
	} else {
		w.golang(reflect.TypeOf(k.fresh()).Elem(), path, true)
	}
	for i := range w.lines {
		w.lines[i].path = strings.TrimPrefix(w.lines[i].path, ".")
	}
	return w.lines
}

// TestEveryFieldHasARule walks the proto descriptors of Istio's kinds and the Go types of the others.
func TestEveryFieldHasARule(t *testing.T) {
	keys := map[string]bool{}
	meta := &fieldWalk{keys: keys}
	meta.golang(reflect.TypeFor[metadata](), "metadata", true)
	all := meta.lines
	for i := range kinds {
		all = append(all, walkKind(&kinds[i], keys)...)
	}
	told := map[string]bool{}
	for _, l := range all {
		if !l.known && !told[l.key] {
			t.Errorf("no rule for %q, which is %s", l.key, l.path)
			told[l.key] = true
		}
		if l.rule.use != useHonoured && l.rule.note == "" {
			t.Errorf("the rule for %q does not say why", l.key)
		}
	}
	for _, table := range []rules{istioRules, goRules} {
		for key := range table {
			if !keys[key] {
				t.Errorf("a rule for %q, which does not exist", key)
			}
		}
	}
	if len(keys) < 300 {
		t.Errorf("found %d fields only: is the walk right?", len(keys))
	}
}

// TestRulesStandInOneTable: join would take either.
func TestRulesStandInOneTable(t *testing.T) {
	for _, tables := range [][]rules{
		{serviceEntryRules, virtualServiceRules, destinationRuleRules},
		{metadataRules, kubernetesRules, gatewayRules},
	} {
		seen := map[string]bool{}
		for _, table := range tables {
			for key := range table {
				if seen[key] {
					t.Errorf("%q stands in two tables", key)
				}
				seen[key] = true
			}
		}
	}
}

const fieldsHead = `# What becomes of each field

A field that is honoured acts as its project documents it. One that is refused is an error with file, line, field and reason;
with Config.Lenient it is left out with a warning. Fields that are not of concern are for servers or for the API server, and may
stand there. Whatever is not listed here is unknown, and refused. What is below a refused field is not listed.

This file is written by ` + "`go test ./discovery/manifest -run TestFieldsFile -update`" + `, from the tables that the reader heeds.
`

// TestFieldsFile keeps FIELDS.md true.
func TestFieldsFile(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(fieldsHead)
	keys := map[string]bool{}
	meta := &fieldWalk{keys: keys}
	meta.golang(reflect.TypeFor[metadata](), "metadata", true)
	table(&b, "Every kind", append(meta.lines, line{path: "status", rule: aside("a server writes it")}))
	for i := range kinds {
		k := &kinds[i]
		table(&b, fmt.Sprintf("%s (%s: %s)", k.name, cmpEmpty(k.group, "core"), strings.Join(k.versions, ", ")), walkKind(k, keys))
	}
	if *update {
		if err := os.WriteFile("FIELDS.md", b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile("FIELDS.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, b.Bytes()) {
		t.Error("FIELDS.md is not what the rules say; run: go test ./discovery/manifest -run TestFieldsFile -update")
	}
}

func cmpEmpty(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

func table(b *bytes.Buffer, title string, lines []line) {
	fmt.Fprintf(b, "\n## %s\n\n| field | | |\n| --- | --- | --- |\n", title)
	for _, l := range lines {
		fmt.Fprintf(b, "| `%s` | %v | %s |\n", l.path, l.rule.use, strings.ReplaceAll(l.rule.note, "|", "\\|"))
	}
}
