package traffic

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (c *compiler) checkMatches(matches []Match, hosts []string) {
	for i := range matches {
		c.item("Match", i)
		c.checkMatch(&matches[i])
		c.checkPorts(matches[i].Port, hosts)
		c.out()
	}
}

func (c *compiler) checkMatch(m *Match) {
	before := len(c.errs)
	c.checkScheme(m)
	c.checkText("Authority", m.Authority)
	c.checkPath(m.Path)
	c.checkMethod(m)
	if m.GRPC != nil {
		c.checkGRPC("GRPC.Service", m.GRPC.Service)
		c.checkGRPC("GRPC.Method", m.GRPC.Method)
	}
	c.checkFields("Headers", m.Headers)
	c.checkFields("Query", m.Query)
	if _, ok := m.Source[""]; ok {
		c.bad("Source", nil, "the name of a label must not be empty")
	}
	if len(c.errs) == before {
		c.checkContradictions(m)
	}
}

// checkText checks a condition on a text that every request has.
func (c *compiler) checkText(field string, v Value) {
	switch v.Op {
	case OpPresent, OpAbsent:
		c.bad(field, v, "only a header or parameter can be present or absent")
	case OpPathPrefix:
		if field != "Path" {
			c.bad(field, v, "only a path has segments")
			return
		}
		fallthrough
	default:
		c.checkValue(field, v)
	}
}

// checkValue checks what holds for all conditions.
func (c *compiler) checkValue(field string, v Value) {
	_, known := comparisons[v.Op]
	nothing := v.Op == "" || v.Op == OpPresent || v.Op == OpAbsent
	switch {
	case !known:
		c.bad(field, v, "there is no such comparison")
	case nothing && v.Text != "":
		c.bad(field, v, "must have no text")
	case nothing && v.IgnoreCase:
		c.bad(field, v, "there are no letters whose case could be ignored")
	case v.Op == OpRegex && v.IgnoreCase:
		c.bad(field, v, "a regex ignores case by (?i) in front")
	case v.Op == OpRegex:
		if _, err := compileRegex(v.Text, c.regexes); err != nil {
			c.bad(field, shortened(v), err.Error())
		}
	case (v.Op == OpPrefix || v.Op == OpSuffix || v.Op == OpPathPrefix) && v.Text == "":
		c.bad(field, v, "must have a text")
	}
}

// shortened is v fit for a message.
func shortened(v Value) Value {
	const most = 80
	if len(v.Text) > most {
		v.Text = strings.ToValidUTF8(v.Text[:most], "") + "..."
	}
	return v
}

func (c *compiler) checkScheme(m *Match) {
	c.checkText("Scheme", m.Scheme)
	if m.Scheme.Op == OpExact && !strings.EqualFold(m.Scheme.Text, "http") && !strings.EqualFold(m.Scheme.Text, "https") {
		c.bad("Scheme", m.Scheme, "must be http or https")
	}
	if m.GRPC != nil && m.Scheme != (Value{}) {
		c.because(ErrNeverMatches, "Scheme", m.Scheme, "a gRPC call has no scheme, so that this never matches")
	}
}

func (c *compiler) checkPath(v Value) {
	c.checkText("Path", v)
	if v.Op != OpExact && v.Op != OpPrefix && v.Op != OpPathPrefix || v.Text == "" && v.Op != OpExact {
		return
	}
	switch {
	case !strings.HasPrefix(v.Text, "/"):
		c.because(ErrNeverMatches, "Path", v, `a path begins with "/"`)
	case strings.ContainsAny(v.Text, "?#"):
		c.because(ErrNeverMatches, "Path", v, "a path has no query and no fragment; Match has Query for it")
	}
}

func (c *compiler) checkMethod(m *Match) {
	v := m.Method
	c.checkText("Method", v)
	if v.Op != OpExact {
		return
	}
	switch upper := strings.ToUpper(v.Text); {
	case !isToken(v.Text):
		c.bad("Method", v, "not an HTTP method")
	case v.Text != upper && !v.IgnoreCase:
		c.bad("Method", v, fmt.Sprintf("methods are told apart by case, and it is %q", upper))
	case m.GRPC != nil && upper != "POST":
		c.because(ErrNeverMatches, "Method", v, "gRPC calls are POST")
	}
}

func (c *compiler) checkGRPC(field string, v Value) {
	c.checkText(field, v)
	if v.Op != OpRegex && strings.Contains(v.Text, "/") {
		c.because(ErrNeverMatches, field, v, `must not have "/" in it`)
	}
}

func (c *compiler) checkFields(name string, fields []Field) {
	for i := range fields {
		f := &fields[i]
		c.item(name, i)
		if name == "Headers" {
			c.checkHeaderName("Name", f.Name)
		} else if f.Name == "" {
			c.bad("Name", nil, "must not be empty")
		}
		switch f.Value.Op {
		case "":
			c.bad("Value", nil, "must say something; present and absent ask whether there is one at all")
		case OpPathPrefix:
			c.bad("Value", f.Value, "only a path has segments")
		default:
			c.checkValue("Value", f.Value)
		}
		c.out()
	}
}

// checkPorts finds a port that none of the hosts has.
func (c *compiler) checkPorts(port uint16, hosts []string) {
	if port == 0 || len(hosts) == 0 {
		return
	}
	for _, pattern := range hosts {
		if h := parseHost(pattern); h.port == 0 || h.port == port {
			return
		}
	}
	c.because(ErrNeverMatches, "Port", port, "none of the route's Hosts has it")
}

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

// sortedKeys are the names of a map in order, so that errors are.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
