package manifest

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// object reads the parts of a resource, and reports whether it can be used at all. What is wrong inside of it is told, and
// the object is kept for what others have to say of it.
func (d *decoder) object(c *Config, k *kind, o *Object, pairs []pair) bool {
	d.label = k.name
	named := d.head(c, o, pairs)
	known := []string{"apiVersion", "kind", "metadata", "status"}
	if !k.flat {
		known = append(known, "spec")
	}
	for _, p := range pairs {
		switch {
		case p.k.Value == "apiVersion", p.k.Value == "kind", p.k.Value == "metadata":
		case p.k.Value == "status": // a server writes it
			d.skim(p.v)
		case p.k.Value == "spec" && !k.flat:
			d.enter("spec")
			if n, ok := d.visit(p.v); ok && !isNull(n) {
				o.Spec = d.spec(k, n, o.places.add("spec", p.k.Line, p.k.Column))
			}
			d.leave()
		case !k.flat:
			d.enter(p.k.Value)
			d.unknown(p.k, p.v, p.k.Value, known)
			d.leave()
		}
	}
	if k.flat {
		o.Spec = d.spec(k, without(pairs, known), &o.places)
	} else if o.Spec == nil {
		d.find(Error, &yaml.Node{Line: o.Line, Column: int(o.places.column)}, "no spec", "")
	}
	return named && o.Spec != nil
}

// without is a mapping of the entries that are left when some are taken away.
func without(pairs []pair, names []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, p := range pairs {
		if slices.Contains(names, p.k.Value) {
			continue
		}
		n.Content = append(n.Content, p.k, p.v)
	}
	if len(pairs) > 0 {
		n.Line, n.Column = pairs[0].k.Line, pairs[0].k.Column
	}
	return n
}

// head reads the metadata, and reports whether the object has a name.
func (d *decoder) head(c *Config, o *Object, pairs []pair) bool {
	p := find(pairs, "metadata")
	if p == nil {
		d.find(Error, &yaml.Node{Line: o.Line, Column: int(o.places.column)}, "no metadata: a resource needs a name", "")
		return false
	}
	before := len(d.file.findings)
	d.enter("metadata")
	m := d.metadata(p.v, o.places.add("metadata", p.k.Line, p.k.Column))
	o.Name, o.Namespace, o.Labels, o.Annotations, o.Created = m.Name, m.Namespace, m.Labels, m.Annotations, m.Created.Time
	if o.Namespace == "" {
		o.Namespace = c.Namespace
	}
	switch {
	case m.Name == "" && len(d.file.findings) == before:
		d.failf(p.k, "no name")
	case m.Name != "" && !isName(m.Name):
		d.failf(p.k, "name %.64q: want lower case letters, digits, \"-\" and \".\"", m.Name)
	case m.Namespace != "" && !isLabel(m.Namespace, 63):
		d.failf(p.k, "namespace %.64q: want lower case letters, digits and \"-\"", m.Namespace)
	}
	d.leave()
	o.label = oneLine(c.label(o.Kind, o.Namespace, o.Name))
	d.label = o.label
	for i := before; i < len(d.file.findings); i++ {
		d.file.findings[i].Object = o.label
	}
	return m.Name != ""
}

// label is what findings call an object.
func (c *Config) label(kind, namespace, name string) string {
	if name == "" {
		return kind
	}
	if namespace != c.Namespace {
		name = namespace + "/" + name
	}
	return kind + "/" + name
}
