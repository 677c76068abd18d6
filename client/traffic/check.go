package traffic

// check finds all mistakes in the policy but those that depend on the process.
func (c *compiler) check() {
	for i := range c.policy.Routes {
		c.item("Routes", i)
		c.checkRoute(&c.policy.Routes[i])
		c.out()
	}
}

func (c *compiler) checkRoute(r *Route) {
	for i := range r.Match {
		c.item("Match", i)
		c.checkMatch(&r.Match[i])
		c.out()
	}
	for i := range r.Faults {
		for j := range r.Faults[i].Match {
			c.checkMatch(&r.Faults[i].Match[j])
		}
	}
	if r.Rewrite != nil && r.Rewrite.Regex != "" {
		c.checkValue("Rewrite.Regex", Regex(r.Rewrite.Regex))
	}
}

func (c *compiler) checkMatch(m *Match) {
	c.checkValue("Scheme", m.Scheme)
	c.checkValue("Authority", m.Authority)
	c.checkValue("Path", m.Path)
	c.checkValue("Method", m.Method)
	if m.GRPC != nil {
		c.checkValue("GRPC.Service", m.GRPC.Service)
		c.checkValue("GRPC.Method", m.GRPC.Method)
	}
	for _, f := range m.Headers {
		c.checkValue("Headers", f.Value)
	}
	for _, f := range m.Query {
		c.checkValue("Query", f.Value)
	}
}

func (c *compiler) checkValue(field string, v Value) {
	if v.Op == OpRegex {
		if _, err := compileRegex(v.Text, c.regexes); err != nil {
			c.bad(field, v, err.Error())
		}
	}
}

func (c *compiler) checkSource() {}
