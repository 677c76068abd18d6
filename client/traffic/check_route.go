package traffic

import "fmt"

func (c *compiler) checkRoute(r *Route) {
	c.checkHosts(r.Hosts)
	c.checkMatches(r.Match, r.Hosts)
	c.checkAction(r)
	c.checkTo(r)
	if r.Sticky != nil {
		c.checkKey("Sticky", r.Sticky)
		if len(r.To) == 0 {
			c.bad("Sticky", nil, "there is nothing to choose from: To is empty")
		}
	}
	c.checkRewrite(r)
	c.checkHeaders(&r.Headers)
	if r.Timeout > maxDuration {
		c.duration("Timeout", r.Timeout)
	}
	c.checkRetry(r)
	c.checkFaults(r.Faults)
	c.checkMirrors(r)
}

func (c *compiler) checkHosts(hosts []string) {
	seen := make(map[host]int, len(hosts))
	for i, pattern := range hosts {
		c.checkHost(fmt.Sprintf("Hosts[%d]", i), pattern, true)
		h := parseHost(pattern)
		if j, ok := seen[h]; ok {
			c.bad(fmt.Sprintf("Hosts[%d]", i), pattern, fmt.Sprintf("Hosts[%d] is the same", j))
		}
		seen[h] = i
	}
}

// checkAction checks that there is one action, and nothing beside it that would have no effect.
func (c *compiler) checkAction(r *Route) {
	actions := 0
	for _, is := range []bool{len(r.To) > 0, r.Redirect != nil, r.Respond != nil} {
		if is {
			actions++
		}
	}
	if actions > 1 {
		c.here(nil, "more than one of To, Redirect and Respond")
	}
	if r.Redirect != nil {
		c.checkRedirect(r)
	}
	if r.Respond != nil {
		c.in("Respond")
		c.checkResponse(r.Respond)
		c.out()
	}
	if r.Redirect == nil && r.Respond == nil {
		return
	}
	for _, f := range []struct {
		name string
		is   bool
	}{
		{"Rewrite", r.Rewrite != nil}, {"Headers.Request", !r.Headers.Request.none()}, {"Timeout", r.Timeout != 0},
		{"Retry", r.Retry != nil}, {"NoRetry", r.NoRetry}, {"Faults", len(r.Faults) > 0},
		{"Mirrors", len(r.Mirrors) > 0},
	} {
		if f.is {
			c.bad(f.name, nil, "has no effect where the mesh itself answers, by Redirect or Respond")
		}
	}
}

func (h *HeaderOps) none() bool { return len(h.Set)+len(h.Add)+len(h.Remove) == 0 }

func (c *compiler) checkRetry(r *Route) {
	if r.Retry == nil {
		return
	}
	if r.NoRetry {
		c.bad("NoRetry", nil, "contradicts Retry")
	}
	c.checkRouteRetry(r.Retry)
}

func (c *compiler) checkTo(r *Route) {
	var sum uint64
	seen := make(map[string]int, len(r.To))
	for i := range r.To {
		b := &r.To[i]
		c.item("To", i)
		sum += uint64(b.Weight)
		id := b.identity()
		if j, ok := seen[id]; ok {
			c.here(nil, fmt.Sprintf("goes where To[%d] does", j))
		}
		seen[id] = i
		c.checkBackend(r, b)
		c.out()
	}
	if len(r.To) > 1 && sum == 0 {
		c.bad("To", nil, "no backend has a weight")
	}
}

func (c *compiler) checkBackend(r *Route, b *Backend) {
	c.checkHeaders(&b.Headers)
	if b.Respond == nil {
		c.checkService("Service", b.Service)
		c.checkSubset(r, b.Service, b.Subset, b.Port)
		return
	}
	c.in("Respond")
	c.checkResponse(b.Respond)
	c.out()
	if b.Service != "" || b.Subset != "" || b.Port != 0 {
		c.here(nil, "Respond stands in the place of Service, Subset and Port")
	}
	if !b.Headers.Request.none() {
		c.bad("Headers.Request", nil, "has no effect where nobody is asked")
	}
}

func (c *compiler) checkMirrors(r *Route) {
	for i := range r.Mirrors {
		m := &r.Mirrors[i]
		c.item("Mirrors", i)
		c.checkService("Service", m.Service)
		c.checkSubset(r, m.Service, m.Subset, m.Port)
		c.percent("Percent", m.Percent)
		c.out()
	}
}
