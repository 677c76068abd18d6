package traffic

import (
	"fmt"
	"net/textproto"
)

// compiler checks a policy and makes a table of it.
type compiler struct {
	checker
	policy  Policy
	local   Local
	regexes map[string]*regex
	headers map[string]int32 // numbers of header names

	destinations *destinations
}

func newCompiler(p Policy, local Local) *compiler {
	return &compiler{policy: p, local: local, regexes: make(map[string]*regex), headers: make(map[string]int32)}
}

// table makes the table of a policy that was checked.
func (c *compiler) table() *Table {
	t := &Table{policy: c.policy, local: c.local, destinations: c.destinations}
	for i := range c.policy.Routes {
		c.route(t, i)
	}
	t.index = newIndex(t.entries, c.regexes)
	return t
}

func (c *compiler) route(t *Table, index int) {
	r := &c.policy.Routes[index]
	base := c.rule(r, index)
	hosts := make([]host, len(r.Hosts))
	for i, h := range r.Hosts {
		hosts[i] = parseHost(h)
	}
	if len(r.Match) == 0 {
		base.Match = -1
		t.add(&base, hosts, nil)
	}
	for i := range r.Match {
		rule := base
		rule.Match, rule.matched = i, matchedPath(r.Match[i].Path)
		t.add(&rule, hosts, c.conditions(&r.Match[i]))
	}
}

// rule is what the rules of all matches of a route have in common.
func (c *compiler) rule(r *Route, index int) Rule {
	rule := Rule{
		Name: routeName(r, index), Index: index, Route: r,
		RequestHeaders: ops(r.Headers.Request), ResponseHeaders: ops(r.Headers.Response),
	}
	for i := range r.To {
		b := &r.To[i]
		rule.Targets = append(rule.Targets, &Target{
			Backend: b, Index: i, address: address{service: b.Service, port: b.Port},
			RequestHeaders:  ops(r.Headers.Request, b.Headers.Request),
			ResponseHeaders: ops(r.Headers.Response, b.Headers.Response),
		})
	}
	if len(r.To) > 1 {
		rule.split = newSplit(r.To)
		if r.Sticky != nil {
			rule.sticky = newSticky(r.To)
		}
	}
	for i := range r.Faults {
		rule.Faults = append(rule.Faults, c.fault(&r.Faults[i]))
	}
	if w := r.Rewrite; w != nil && w.Regex != "" {
		re := c.regexes[w.Regex]
		template, _ := substitution(w.Substitution, re.part.NumSubexp()) // the check has seen it
		rule.rewrite = &regexRewrite{re: re.part, template: template}
	}
	return rule
}

func routeName(r *Route, index int) string {
	if r.Name != "" {
		return r.Name
	}
	return fmt.Sprintf("routes[%d]", index)
}

func (c *compiler) fault(f *Fault) FaultRule {
	rule := FaultRule{Fault: f, Scope: f.Scope}
	switch {
	case f.Body != nil:
		rule.Scope = ScopeAttempt
	case f.Scope == "":
		rule.Scope = ScopeCall
	}
	for i := range f.Match {
		rule.any = append(rule.any, c.conditions(&f.Match[i]))
	}
	return rule
}

func matchedPath(v Value) Value {
	if v.Op == OpPathPrefix {
		v.Text = trimSlash(v.Text)
	}
	return v
}

func trimSlash(path string) string {
	for path != "" && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	return path
}

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
