package discovery

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// endpoint reads an entry of a service's list: a plain address, or a mapping.
func (p *fileParser) endpoint(n *yaml.Node, field string) (e Endpoint) {
	before := len(p.errs)
	if n.Kind == yaml.ScalarNode {
		e.Addr = p.text(n, field)
	} else {
		p.mapping(n, field, func(key string, k, v *yaml.Node) { p.attribute(&e, key, field, k, v) })
	}
	if len(p.errs) > before {
		return e
	}
	if err := e.Validate(); err != nil {
		p.failf(n, field, "%v", err)
	}
	return e
}

func (p *fileParser) attribute(e *Endpoint, key, field string, k, v *yaml.Node) {
	at := field + "." + key
	switch key {
	case "addr":
		e.Addr = p.text(v, at)
	case "zone":
		e.Zone = p.text(v, at)
	case "subzone":
		e.SubZone = p.text(v, at)
	case "region":
		e.Region = p.text(v, at)
	case "weight":
		e.Weight = p.weight(v, at)
	case "metadata":
		e.Metadata = p.labels(v, at)
	case "id":
		e.ID = p.text(v, at)
	default:
		p.failf(k, field, "unknown field %q; known: addr, zone, region, subzone, weight, metadata, id", key)
	}
}

// text reads a string. What YAML reads as something else is refused instead of guessed: 1.10 would become 1.1.
func (p *fileParser) text(n *yaml.Node, field string) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		p.failf(n, field, "%s; want a string (in quotes)", describe(n))
		return ""
	}
	return n.Value
}

// weight reads a number of at least 1. An explicit 0 means "no traffic" to some and the default to others.
func (p *fileParser) weight(n *yaml.Node, field string) uint32 {
	w, err := strconv.ParseUint(n.Value, 10, 32)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || w == 0 {
		p.failf(n, field, "%s; want a number from 1 to 4294967295 (leave out an endpoint that is to get no calls)", describe(n))
	}
	return uint32(w)
}

func (p *fileParser) labels(n *yaml.Node, field string) map[string]string {
	labels := make(map[string]string, len(n.Content)/2)
	p.mapping(n, field, func(key string, _, v *yaml.Node) { labels[key] = p.text(v, field+"."+key) })
	return labels
}
