package traffic

import "fmt"

// checkContradictions finds conditions of which not all can hold.
func (c *compiler) checkContradictions(m *Match) {
	if m.GRPC != nil {
		for i, f := range m.Query {
			if (f.Value.Op == OpAbsent) == f.Not {
				c.because(ErrNeverMatches, fmt.Sprintf("Query[%d]", i), f.Name, "a gRPC call has no query")
			}
		}
	}
	c.contradictions("Headers", m.Headers, lowerString)
	c.contradictions("Query", m.Query, func(s string) string { return s })
}

func (c *compiler) contradictions(name string, fields []Field, fold func(string) string) {
	for i := range fields {
		for j := range i {
			a, b := &fields[i], &fields[j]
			if fold(a.Name) == fold(b.Name) && (c.excludes(a, b) || c.excludes(b, a)) {
				c.because(ErrNeverMatches, fmt.Sprintf("%s[%d]", name, i), a.Value,
					fmt.Sprintf("contradicts %s[%d], %s, so that this never matches", name, j, negated(b)))
			}
		}
	}
}

func negated(f *Field) string {
	if f.Not {
		return "not " + f.Value.String()
	}
	return f.Value.String()
}

// excludes says whether b cannot hold where a does. It knows of a that says the whole, or that there is nothing.
func (c *compiler) excludes(a, b *Field) bool {
	t := c.text(b.Value)
	switch {
	case a.Value.Op == OpAbsent && !a.Not || a.Value.Op == OpPresent && a.Not:
		return t.of("", false) == b.Not
	case a.Value.Op == OpExact && !a.Not && !a.Value.IgnoreCase:
		return t.of(a.Value.Text, true) == b.Not
	}
	return false
}
