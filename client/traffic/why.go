package traffic

import "fmt"

// why says in words that a condition does not hold.
func (p *probe) why(c *condition) string {
	switch c.of {
	case ofNever:
		return "source: this process has other labels"
	case ofGRPC:
		return "grpc: the call is not gRPC"
	case ofPort:
		if p.port == 0 {
			return fmt.Sprintf("port: no port was asked for, not %d", c.port)
		}
		return fmt.Sprintf("port: %d is not %d", p.port, c.port)
	case ofHeader:
		return c.whyField("header", p.header.value, p.header.ok)
	case ofQuery:
		value, ok := parameter(p.q.RawQuery, c.name)
		return c.whyField("query", value, ok)
	}
	subject, is := p.subject(c)
	return fmt.Sprintf("%s: %q is not %s", subject, is, c.value)
}

// subject is what a condition looks at, by name and value.
func (p *probe) subject(c *condition) (name, value string) {
	service, method := splitMethod(p.q.Path)
	switch c.of {
	case ofScheme:
		return "scheme", p.q.Scheme
	case ofAuthority:
		return "authority", p.q.Authority
	case ofPath:
		return "path", p.q.Path
	case ofMethod:
		return "method", p.q.Method
	case ofService:
		return "grpc.service", service
	default:
		return "grpc.method", method
	}
}

func (c *condition) whyField(kind, value string, ok bool) string {
	want := c.value.String()
	if c.not {
		want = "other than " + want
	}
	if !ok {
		return fmt.Sprintf("%s %s: there is none, must be %s", kind, c.name, want)
	}
	return fmt.Sprintf("%s %s: %q, must be %s", kind, c.name, value, want)
}
