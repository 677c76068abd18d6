package traffic

// Table is a [Policy] that is ready for use. It does not change, and is safe for use by many goroutines.
type Table struct {
	policy       Policy
	local        Local
	rules        []*Rule // in the order in which they are asked
	entries      []entry // one for each rule
	destinations *destinations
}

// entry is what decides whether a rule matches.
type entry struct {
	rule  *Rule
	hosts []host
	all   []condition
}

// Compile makes a policy ready for use by a process. The error joins a [*FieldError] for every mistake, see
// [Policy.Validate]. The policy must not be changed afterwards.
func Compile(p Policy, local Local) (*Table, error) {
	c := newCompiler(p, local)
	c.check()
	if local.Addr == "" {
		c.checkSource()
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return c.table(), nil
}

// Validate reports every value that cannot be honoured: it is the error that [Compile] gives for a process of which
// everything is known.
func (p Policy) Validate() error {
	c := newCompiler(p, Local{})
	c.check()
	return c.err()
}

// Policy is what the table was made of. It must not be changed.
func (t *Table) Policy() Policy { return t.policy }

// Local is what the table was made for. It must not be changed.
func (t *Table) Local() Local { return t.local }

// Match is the first rule that matches; nil where none does, and the request goes to the service that was called.
func (t *Table) Match(q *Request) *Rule {
	p := newProbe(q)
	name, _ := splitPort(q.Service)
	for i := range t.entries {
		e := &t.entries[i]
		if anyHost(e.hosts, name, p.port) && p.holds(e.all) {
			return e.rule
		}
	}
	return nil
}
