package traffic

// Table is a [Policy] that is ready for use. It does not change, and is safe for use by many goroutines.
type Table struct {
	policy       Policy
	local        Local
	entries      []*entry // in the order in which they are asked
	index        *index
	destinations *destinations
}

// entry is a rule and what decides whether it matches.
type entry struct {
	order int // its place among all
	rule  *Rule
	hosts []host
	all   []condition
}

func (t *Table) add(r *Rule, hosts []host, all []condition) {
	t.entries = append(t.entries, &entry{order: len(t.entries), rule: r, hosts: hosts, all: all})
}

// Compile makes a policy ready for use by a process. The error joins a [*FieldError] for every mistake, see
// [Policy.Validate]. The policy must not be changed afterwards.
func Compile(p Policy, local Local) (*Table, error) {
	c := newCompiler(p, local)
	c.check()
	c.checkSource()
	if err := c.err(); err != nil {
		return nil, err
	}
	t := c.table()
	if c.checkShadows(t); c.errs != nil {
		return nil, c.err()
	}
	return t, nil
}

// Validate reports every value that cannot be honoured: it is the error that [Compile] gives for a process of which
// everything is known. Routes that can never match are looked for when all else is well.
func (p Policy) Validate() error {
	c := newCompiler(p, Local{})
	if c.check(); c.errs == nil {
		c.checkShadows(c.table())
	}
	return c.err()
}

// Policy is what the table was made of. It must not be changed.
func (t *Table) Policy() Policy { return t.policy }

// Local is what the table was made for. It must not be changed.
func (t *Table) Local() Local { return t.local }
