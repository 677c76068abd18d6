package traffic

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
