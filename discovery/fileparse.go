package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/intramesh/intramesh/internal/jsonyaml"
)

// maxFile is the largest endpoint file that is read: room for 100,000 endpoints with all their fields.
const maxFile = 16 << 20

// maxFileErrors bounds how many errors of one file are told.
const maxFileErrors = 10

// parseFile reads the endpoints of all services. Errors name file and line.
func parseFile(name string, data []byte) (map[string][]Endpoint, error) {
	p := fileParser{name: name, services: map[string][]Endpoint{}}
	if root := p.document(data); root != nil {
		p.root(root)
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.services, nil
}

// fileParser walks the YAML tree itself: that way every error has its line, nothing is ignored, and aliases, which a
// decoder would expand without bound, are refused where they stand.
type fileParser struct {
	name     string
	services map[string][]Endpoint
	errs     []error
}

func (p *fileParser) failf(n *yaml.Node, field, format string, args ...any) {
	if len(p.errs) == maxFileErrors {
		return
	}
	line, text := 1, fmt.Sprintf(format, args...)
	if n != nil {
		line = max(n.Line, 1)
	}
	if field != "" {
		text = field + ": " + text
	}
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.name, line, text))
}

// document checks the file as a whole and returns its only value.
func (p *fileParser) document(data []byte) *yaml.Node {
	if len(data) > maxFile {
		p.failf(nil, "", "larger than %d MiB", maxFile>>20)
		return nil
	}
	if !utf8.Valid(data) {
		p.failf(&yaml.Node{Line: 1 + bytes.Count(data[:firstInvalid(data)], []byte("\n"))}, "", "not UTF-8")
		return nil
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(jsonyaml.Text(data)))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		p.failf(nil, "", "empty; a file without services says \"services: {}\"")
		return nil
	} else if err != nil {
		p.errs = append(p.errs, fmt.Errorf("%s: %w", p.name, err)) // yaml names the line
		return nil
	}
	if err := dec.Decode(&more); err == nil {
		p.failf(&more, "", "a second document; want one")
	} else if !errors.Is(err, io.EOF) {
		p.errs = append(p.errs, fmt.Errorf("%s: %w", p.name, err))
	}
	return doc.Content[0]
}

// firstInvalid is the place of the first byte that is not UTF-8.
func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}

func (p *fileParser) root(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		p.failf(n, "", "empty; a file without services says \"services: {}\"")
		return
	}
	found := false
	p.mapping(n, "", func(key string, k, v *yaml.Node) {
		if key != "services" {
			p.failf(k, "", "unknown field %q; known: services", key)
			return
		}
		found = true
		p.mapping(v, "services", p.service)
	})
	if !found && len(p.errs) == 0 {
		p.failf(n, "", "no field \"services\"")
	}
}

func (p *fileParser) service(name string, k, v *yaml.Node) {
	if err := validName(name); err != nil {
		p.failf(k, "services", "%v", err)
	}
	field := "services." + name
	if v.Kind != yaml.SequenceNode {
		p.failf(v, field, "%s; want a list of endpoints, [] where there are none", describe(v))
		return
	}
	endpoints := make([]Endpoint, 0, len(v.Content))
	lines := make(map[string]int, len(v.Content))
	for i, item := range v.Content {
		at := field + "[" + strconv.Itoa(i) + "]"
		before := len(p.errs)
		e := p.endpoint(item, at)
		if first, again := lines[e.Addr]; again && len(p.errs) == before {
			p.failf(item, at, "addr %q is listed twice, first in line %d", e.Addr, first)
		}
		lines[e.Addr] = item.Line
		endpoints = append(endpoints, e)
	}
	p.services[name] = endpoints
}

// mapping calls f for each entry of a mapping whose keys are strings, each once.
func (p *fileParser) mapping(n *yaml.Node, field string, f func(key string, k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.failf(n, field, "%s; want a mapping", describe(n))
		return
	}
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.Tag != "!!str" {
			p.failf(k, field, "%s as a key; want a string", describe(k))
			continue
		}
		if first, again := lines[k.Value]; again {
			p.failf(k, field, "%q is there twice, first in line %d", k.Value, first)
			continue
		}
		lines[k.Value] = k.Line
		f(k.Value, k, v)
	}
}

// describe says what a node is, for errors.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.AliasNode:
		return "an alias (aliases are not supported)"
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return fmt.Sprintf("%.40q, read as %s", n.Value, n.Tag)
}
