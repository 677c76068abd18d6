package traffic

import "strings"

// checkSubset checks that a subset which a route names is declared by the destination that counts where the route leads.
// Where that depends on the request, as with Hosts of "*", one that may count must declare it.
func (c *compiler) checkSubset(r *Route, service, subset string, port uint16) {
	if subset == "" {
		return
	}
	if service != "" {
		c.checkSubsetOf(service, subset, port)
		return
	}
	if len(r.Hosts) == 0 {
		c.checkSubsetOf("*", subset, port)
	}
	for _, pattern := range r.Hosts {
		name, hostPort := splitPort(pattern)
		if port != 0 {
			hostPort = port
		}
		c.checkSubsetOf(name, subset, hostPort)
	}
}

func (c *compiler) checkSubsetOf(pattern, subset string, port uint16) {
	if !c.destinations.mayHave(lowerString(pattern), subset, port) {
		c.because(ErrUnknownSubset, "Subset", subset, "no destination for "+joinPort(pattern, port)+" declares it")
	}
}

// mayHave says whether a subset is known to the entry that counts for a service, or to one that may count for some service
// of a pattern. port 0 stands for any.
func (d *destinations) mayHave(pattern, subset string, port uint16) bool {
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		for name, p := range d.names {
			if strings.HasSuffix(name, suffix) && p.mayHave(subset, port) {
				return true
			}
		}
		for other, p := range d.suffixes {
			if (strings.HasSuffix(other, suffix) || strings.HasSuffix(suffix, other)) && p.mayHave(subset, port) {
				return true
			}
		}
		return d.all.mayHave(subset, port)
	}
	if port == 0 {
		if p := d.names[pattern]; p != nil {
			for _, e := range p.of {
				if e.subsets[subset] != nil {
					return true
				}
			}
		}
	}
	e := d.find(joinPort(pattern, port))
	return e != nil && e.subsets[subset] != nil
}

func (p *ports) mayHave(subset string, port uint16) bool {
	if p == nil {
		return false
	}
	for number, e := range p.of {
		if (port == 0 || port == number) && e.subsets[subset] != nil {
			return true
		}
	}
	return p.any != nil && p.any.subsets[subset] != nil
}
