package traffic

import (
	"fmt"
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
