package traffic

import "fmt"

// MarshalJSON writes durations and conditions as [Parse] reads them.
func (e Explanation) MarshalJSON() ([]byte, error) { return marshal(e) }

// Explain tells what the table makes of a request, and why.
func (t *Table) Explain(q *Request) Explanation {
	e := Explanation{Service: q.Service}
	p := newProbe(q, new(seen))
	name, _ := splitPort(q.Service)
	for _, en := range t.entries {
		s, ok := p.explain(en, name)
		if ok {
			t.explainRule(&e, en.rule, q)
			return e
		}
		e.Skipped = append(e.Skipped, s)
	}
	e.Destinations = []Choice{t.choice(q.Service, "", 100, nil, nil)}
	return e
}

// explain says why an entry does not match, or that it does.
func (p *probe) explain(e *entry, name string) (Skipped, bool) {
	s := Skipped{Rule: e.rule.Name, Match: e.rule.matchName()}
	if !anyHost(e.hosts, name, p.port) {
		s.OtherHost, s.Why = true, fmt.Sprintf("hosts: %q is none of %q", p.q.Service, e.rule.Route.Hosts)
		return s, false
	}
	for i := range e.all {
		if !p.ask(&e.all[i]) {
			s.Why = p.why(&e.all[i])
			return s, false
		}
	}
	return s, true
}

func (r *Rule) matchName() string {
	switch {
	case r.Match < 0:
		return ""
	case r.Route.Match[r.Match].Name != "":
		return r.Route.Match[r.Match].Name
	}
	return fmt.Sprintf("match[%d]", r.Match)
}

// explainRule fills in what a rule makes of the request.
func (t *Table) explainRule(e *Explanation, r *Rule, q *Request) {
	e.Rule, e.Match = r.Name, r.matchName()
	e.Timeout, e.Retry, e.NoRetry = r.Route.Timeout, r.Route.Retry, r.Route.NoRetry
	if path := r.RewritePath(q.Path); path != q.Path {
		e.Path = path
	}
	if w := r.Route.Rewrite; w != nil && w.Authority != q.Authority {
		e.Authority = w.Authority
	}
	for i := range r.Faults {
		if r.Faults[i].Match(q) {
			f := *r.Faults[i].Fault
			f.Scope, f.Match = r.Faults[i].Scope, nil
			e.Faults = append(e.Faults, f)
		}
	}
	for i := range r.Route.Mirrors {
		m := &r.Route.Mirrors[i]
		e.Mirrors = append(e.Mirrors, Copy{Service: m.Destination(q.Service), Subset: m.Subset, Percent: m.Percent})
	}
	t.explainTargets(e, r, q)
}

// explainTargets fills in where the request may go.
func (t *Table) explainTargets(e *Explanation, r *Rule, q *Request) {
	switch {
	case r.Route.Redirect != nil:
		e.Status, e.Location = r.Location(q)
		return
	case r.Route.Respond != nil:
		e.Status = r.Route.Respond.Status
		return
	case len(r.Targets) == 0:
		e.Destinations = []Choice{t.choice(q.Service, "", 100, r.RequestHeaders, r.ResponseHeaders)}
		return
	}
	if len(r.Targets) > 1 {
		e.Sticky = r.Route.Sticky
	}
	var sum float64
	for _, target := range r.Targets {
		sum += float64(target.Backend.Weight)
	}
	for _, target := range r.Targets {
		percent := 100.0
		if len(r.Targets) > 1 {
			percent = 100 * float64(target.Backend.Weight) / sum
		}
		e.Destinations = append(e.Destinations, t.targetChoice(target, q, percent))
	}
}

func (t *Table) targetChoice(target *Target, q *Request, percent float64) Choice {
	b := target.Backend
	if b.Respond != nil {
		return Choice{Percent: percent, Status: b.Respond.Status, ResponseHeaders: words(target.ResponseHeaders)}
	}
	return t.choice(target.Service(q.Service), b.Subset, percent, target.RequestHeaders, target.ResponseHeaders)
}

func (t *Table) choice(service, subset string, percent float64, request, response []HeaderOp) Choice {
	c := Choice{
		Service: service, Subset: subset, Percent: percent, RequestHeaders: words(request), ResponseHeaders: words(response),
	}
	var err error
	if c.Labels, err = t.Subset(service, subset); err != nil {
		c.Err = err.Error()
		return c
	}
	c.Settings, _ = t.Settings(service, subset) // the subset is known
	return c
}
