package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/intramesh/intramesh/internal/jsonyaml"
)

// maxFile is the largest file that is read: room for about 10,000 resources.
const maxFile = 16 << 20

// parsed is what a file says.
type parsed struct {
	objects  []*Object
	findings Findings
}

// parse reads the documents of a file. What is broken is told, and the rest is read all the same, so that every mistake is
// told at once; after one that no YAML can have in it nothing can be read.
func (c *Config) parse(name string, data []byte) parsed {
	r := &report{name: name}
	var objects []*Object
	if f, bad := unreadable(data); bad {
		r.add(f)
		return parsed{findings: r.end()}
	}
	data = jsonyaml.Text(data)
	dec := yaml.NewDecoder(bytes.NewReader(data))
	left := 2*len(data) + 100_000
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.add(syntaxFinding(err, data))
			break
		}
		if len(doc.Content) == 0 || isNull(doc.Content[0]) {
			continue
		}
		d := &decoder{file: r, lenient: c.Lenient, left: left}
		objects = append(objects, d.document(c, doc.Content[0])...)
		left = max(d.left, 0) // of the file as a whole
	}
	return parsed{objects, r.end()}
}

// unreadable finds what keeps a file from being YAML at all.
func unreadable(data []byte) (Finding, bool) {
	if len(data) > maxFile {
		return Finding{Why: fmt.Sprintf("larger than %d MiB", maxFile>>20)}, true
	}
	if len(bytes.TrimSpace(data)) == 0 { // as between the two halves of writing it anew, or where the disk is full
		return Finding{Why: "empty; where that is meant, a comment says so"}, true
	}
	if utf8.Valid(data) {
		return Finding{}, false
	}
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	line, column := position(data, at)
	return Finding{Line: line, Column: column, Why: "not UTF-8"}, true
}

// document reads a resource, or those of a List.
func (d *decoder) document(c *Config, n *yaml.Node) []*Object {
	n, ok := d.visit(n)
	if !ok {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		d.leaveOut(n, describe(n)+"; want a resource with apiVersion and kind", "")
		d.skim(n)
		return nil
	}
	pairs := d.pairs(n)
	apiVersion, name, ok := d.typeOf(n, pairs)
	if !ok {
		return nil
	}
	if apiVersion == "v1" && strings.HasSuffix(name, "List") || name == "List" {
		if d.inList {
			d.failf(n, "a list in a list")
			return nil
		}
		return d.items(c, pairs)
	}
	k, group, version, no := kindOf(apiVersion, name)
	if no != nil {
		d.notRead(n, pairs, no)
		return nil
	}
	o := &Object{Group: group, Version: version, Kind: name, File: d.file.name, Line: n.Line}
	o.places.line, o.places.column = int32(n.Line), int32(n.Column)
	if d.object(c, k, o, pairs) {
		return []*Object{o}
	}
	return nil
}

// typeOf is the apiVersion and kind of a document.
func (d *decoder) typeOf(n *yaml.Node, pairs []pair) (apiVersion, kind string, ok bool) {
	for _, x := range []struct {
		key  string
		into *string
	}{{"apiVersion", &apiVersion}, {"kind", &kind}} {
		p := find(pairs, x.key)
		if p == nil {
			d.leaveOut(n, "no "+x.key+": not a resource", "")
			return "", "", false
		}
		v, ok := d.visit(p.v)
		if !ok {
			return "", "", false
		}
		d.enter(x.key)
		*x.into, ok = d.text(v)
		d.leave()
		if !ok {
			return "", "", false
		}
	}
	return apiVersion, kind, true
}

func find(pairs []pair, key string) *pair {
	for i := range pairs {
		if pairs[i].k.Value == key {
			return &pairs[i]
		}
	}
	return nil
}

// notRead tells of a document of a kind that is not read, and looks through it all the same.
func (d *decoder) notRead(n *yaml.Node, pairs []pair, f *Finding) {
	d.label = labelOf(pairs)
	at := n
	if p := find(pairs, f.Field); p != nil {
		at = p.k
		d.enter(f.Field)
	}
	if f.Severity == Warning {
		d.find(Warning, at, f.Why, f.Suggestion)
	} else {
		d.leaveOut(at, f.Why, f.Suggestion)
	}
	d.path = d.path[:0]
	d.skim(n)
	d.label = ""
}

// labelOf is what a document is called that is not read.
func labelOf(pairs []pair) string {
	label := find(pairs, "kind").v.Value
	if m := find(pairs, "metadata"); m != nil {
		for i := 0; i+1 < len(m.v.Content); i += 2 {
			if m.v.Content[i].Value == "name" && m.v.Content[i+1].Kind == yaml.ScalarNode {
				return label + "/" + m.v.Content[i+1].Value
			}
		}
	}
	return label
}

// items reads the resources of a List.
func (d *decoder) items(c *Config, pairs []pair) (objects []*Object) {
	for _, p := range pairs {
		switch p.k.Value {
		case "apiVersion", "kind", "metadata":
		case "items":
			d.enter("items")
			d.list(p.v, &place{}, func(_ int, v *yaml.Node, _ *place) {
				around := d.path
				d.path, d.inList = nil, true // findings are of the resource, not of the list
				objects = append(objects, d.document(c, v)...)
				d.path, d.label = around, ""
			})
			d.inList = false
			d.leave()
		default:
			d.enter(p.k.Value)
			d.unknown(p.k, p.v, p.k.Value, []string{"apiVersion", "kind", "metadata", "items"})
			d.leave()
		}
	}
	return objects
}
