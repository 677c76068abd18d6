package traffic

import (
	"fmt"
	"regexp"
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
		template, _ := substitution(w.Substitution, c.regexes[w.Regex].groups) // the check has seen it
		rule.rewrite = &regexRewrite{re: regexp.MustCompile(w.Regex), template: template}
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
