package traffic

import "net/textproto"

// conditions are those of a match, the cheap and telling ones first. Never nil.
func (c *compiler) conditions(m *Match) []condition {
	all := make([]condition, 0, 4)
	for name, value := range m.Source {
		if v, ok := c.local.Labels[name]; !ok || v != value {
			all = append(all, condition{of: ofNever})
			break
		}
	}
	add := func(of subject, v *Value) {
		if *v != (Value{}) {
			all = append(all, condition{of: of, value: v, text: c.text(*v)})
		}
	}
	if m.Port != 0 {
		all = append(all, condition{of: ofPort, port: m.Port})
	}
	if g := m.GRPC; g != nil {
		all = append(all, condition{of: ofGRPC})
		add(ofService, &g.Service)
		add(ofGRPCMethod, &g.Method)
	}
	add(ofMethod, &m.Method)
	add(ofPath, &m.Path)
	add(ofScheme, &m.Scheme)
	add(ofAuthority, &m.Authority)
	for i := range m.Headers {
		all = append(all, c.header(&m.Headers[i]))
	}
	for i := range m.Query {
		f := &m.Query[i]
		all = append(all, condition{of: ofQuery, value: &f.Value, name: f.Name, not: f.Not, text: c.text(f.Value)})
	}
	return all
}

func (c *compiler) header(f *Field) condition {
	name := lowerString(f.Name)
	id, ok := c.headers[name]
	if !ok {
		id = int32(len(c.headers))
		c.headers[name] = id
	}
	return condition{
		of: ofHeader, value: &f.Value, id: id, not: f.Not, text: c.text(f.Value),
		name: name, canonical: textproto.CanonicalMIMEHeaderKey(f.Name),
	}
}

func (c *compiler) text(v Value) text {
	t := text{op: comparisons[v.Op], text: v.Text, fold: v.IgnoreCase}
	if v.Op == OpPathPrefix {
		t.text = trimSlash(t.text)
	}
	if t.fold {
		t.text = lowerString(t.text)
	}
	if v.Op == OpRegex {
		t.re = c.regexes[v.Text].whole
	}
	return t
}
