package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// decoder reads one document. It walks the YAML tree itself: that way every mistake has its line, nothing is ignored, and
// what aliases expand to has a bound.
type decoder struct {
	file    *report
	lenient bool
	label   string   // of the object, for findings
	path    []string // where it is: fields, "[3]" and "[\"key\"]"
	inList  bool     // the document is a List
	left    int      // how many more values may be visited, those that aliases stand for each time
}

// maxDepth is how deep values may be nested: the deepest field of all kinds is at 12.
const maxDepth = 64

// report gathers the findings of a file.
type report struct {
	name     string
	findings Findings
	bad      bool // one of them is an error
	dropped  int
}

// maxFindings bounds how many findings of one file are told, so that a file that is no manifest does not fill the log.
const maxFindings = 200

func (r *report) add(f Finding) {
	f.File = r.name
	f.Object, f.Field, f.Why = oneLine(f.Object), oneLine(f.Field), oneLine(f.Why)
	switch {
	case len(r.findings) < maxFindings:
		r.findings = append(r.findings, f)
	case f.Severity == Error && !r.bad:
		r.findings[len(r.findings)-1] = f
		r.dropped++
	default:
		r.dropped++
	}
	r.bad = r.bad || f.Severity == Error
}

// full says that nothing more is told, so that there is no need to know more of it.
func (r *report) full() bool { return len(r.findings) >= maxFindings && r.bad }

// oneLine escapes what no terminal and no log should get from a file: the ends of lines, colours and the like.
func oneLine(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// end says how much was not told.
func (r *report) end() Findings {
	if r.dropped > 0 {
		r.findings = append(r.findings, Finding{File: r.name, Severity: Warning, Why: fmt.Sprintf("%d more findings in this file are not shown", r.dropped)})
	}
	return r.findings
}

func (d *decoder) enter(step string) { d.path = append(d.path, step) }
func (d *decoder) leave()            { d.path = d.path[:len(d.path)-1] }

// field is where the decoder is, as text.
func (d *decoder) field() string {
	var b strings.Builder
	for _, s := range d.path {
		if s == "" { // a key may be that
			s = entry("", s)
		}
		if s[0] != '[' && b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s)
	}
	return b.String()
}

func (d *decoder) find(s Severity, n *yaml.Node, why, suggestion string) {
	d.file.add(Finding{
		Line: n.Line, Column: n.Column, Object: d.label, Field: d.field(),
		Severity: s, Why: why, Suggestion: suggestion,
	})
}

// fail finds an error where the decoder is.
func (d *decoder) failf(n *yaml.Node, format string, args ...any) {
	d.find(Error, n, fmt.Sprintf(format, args...), "")
}

// leaveOut finds something that cannot be honoured: an error, or in lenient mode a warning that it is left out.
func (d *decoder) leaveOut(n *yaml.Node, why, suggestion string) {
	if d.lenient {
		d.find(Warning, n, why+"; it is left out", suggestion)
		return
	}
	d.find(Error, n, why, suggestion)
}

// visit counts a value and follows an alias. It is false where the document is too large to go on, or too deep.
func (d *decoder) visit(n *yaml.Node) (*yaml.Node, bool) {
	if d.left--; d.left < 0 {
		if d.left == -1 {
			d.failf(n, "the aliases of this document stand for too many values")
		}
		return n, false
	}
	if len(d.path) > maxDepth {
		d.left = 0 // an alias to what is around it has no end
		d.failf(n, "nested more than %d deep", maxDepth)
		return n, false
	}
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n, true
}

// mapping calls each for the entries of a mapping whose keys are strings, each once.
func (d *decoder) mapping(n *yaml.Node, each func(key string, k, v *yaml.Node)) {
	n, ok := d.visit(n)
	if !ok {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.failf(n, "%s; want a mapping", describe(n))
		return
	}
	for _, pair := range d.pairs(n) {
		each(pair.k.Value, pair.k, pair.v)
	}
}

type pair struct{ k, v *yaml.Node }

// pairs are the entries of a mapping. Of two with the same key the first counts, and the second is an error; those that
// "<<" merges give way to those that stand there.
func (d *decoder) pairs(n *yaml.Node) []pair {
	list := make([]pair, 0, len(n.Content)/2)
	var lines map[string]int
	if len(n.Content) > 32 {
		lines = make(map[string]int, len(n.Content)/2)
	}
	line := func(key string) (int, bool) {
		if lines != nil {
			l, ok := lines[key]
			return l, ok
		}
		i := slices.IndexFunc(list, func(p pair) bool { return p.k.Value == key })
		if i < 0 {
			return 0, false
		}
		return list[i].k.Line, true
	}
	put := func(k, v *yaml.Node) {
		list = append(list, pair{k, v})
		if lines != nil {
			lines[k.Value] = k.Line
		}
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Tag == "!!merge" {
			merged = append(merged, v)
			continue
		}
		if k.Kind != yaml.ScalarNode || k.Tag != "!!str" {
			d.failf(k, "%s as a key; want a string (in quotes)", describe(k))
			continue
		}
		if first, again := line(k.Value); again {
			d.failf(k, "%q is there twice, first in line %d", k.Value, first)
			continue
		}
		put(k, v)
	}
	for _, m := range merged {
		for _, p := range d.mergedPairs(m) {
			if _, there := line(p.k.Value); !there {
				put(p.k, p.v)
			}
		}
	}
	return list
}

// mergedPairs are what "<<" brings: the entries of a mapping, or of a list of them of which earlier ones go first.
func (d *decoder) mergedPairs(n *yaml.Node) []pair {
	d.enter("<<")
	defer d.leave()
	n, ok := d.visit(n)
	switch {
	case !ok:
		return nil
	case n.Kind == yaml.MappingNode:
		return d.pairs(n)
	case n.Kind != yaml.SequenceNode:
		d.failf(n, "%s; want a mapping to merge", describe(n))
		return nil
	}
	var list []pair
	for _, item := range n.Content {
		if item, ok := d.visit(item); ok && item.Kind == yaml.MappingNode {
			list = append(list, d.pairs(item)...)
		} else if ok {
			d.failf(item, "%s; want a mapping to merge", describe(item))
		}
	}
	return list
}

// list calls each for the items of a list, inside of which the decoder is then.
func (d *decoder) list(n *yaml.Node, p *place, each func(i int, v *yaml.Node, at *place)) {
	n, ok := d.visit(n)
	if !ok {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.failf(n, "%s; want a list", describe(n))
		return
	}
	p.sub = make([]place, 0, len(n.Content))
	for i, v := range n.Content {
		d.enter("[" + strconv.Itoa(i) + "]")
		each(i, v, p.add("", v.Line, v.Column))
		d.leave()
	}
}

// skim looks through a value that is not used, for keys that are there twice.
func (d *decoder) skim(n *yaml.Node) {
	n, ok := d.visit(n)
	if !ok {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		for _, p := range d.pairs(n) {
			d.enter(p.k.Value)
			d.skim(p.v)
			d.leave()
		}
	case yaml.SequenceNode:
		for i, v := range n.Content {
			d.enter("[" + strconv.Itoa(i) + "]")
			d.skim(v)
			d.leave()
		}
	}
}

// describe says what a value is, for findings.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if isNull(n) {
		return "nothing"
	}
	return fmt.Sprintf("%.40q, which is %s", n.Value, article(n))
}

func article(n *yaml.Node) string {
	switch n.Tag {
	case "!!str":
		return "a text"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return n.Tag
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
