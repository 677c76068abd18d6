package traffic

// subject is what a condition looks at.
type subject uint8

const (
	ofNever subject = iota // a condition on the source that this process does not meet
	ofGRPC                 // that the call is gRPC
	ofScheme
	ofPort
	ofAuthority
	ofPath
	ofMethod
	ofService    // the service of a gRPC call
	ofGRPCMethod // the method of a gRPC call
	ofHeader
	ofQuery
)

// condition is one condition of a [Match], ready to be asked.
type condition struct {
	of   subject
	not  bool   // of a header or parameter
	port uint16 // of ofPort
	// id is the same for all conditions on the same header, so that one look at it serves them.
	id        int32
	text      text
	name      string // of a parameter, or of a header in lower case
	canonical string
	value     *Value // what the policy says, for Explain
}

// probe is a request while it is matched. What is found out once is kept.
type probe struct {
	q      *Request
	port   uint16
	header *seen // apart, or the compiler would take the request to leave the stack with its value
}

// seen is the header that was looked at last; none where id is -1.
type seen struct {
	id    int32
	ok    bool
	value string
}

func newProbe(q *Request, header *seen) probe {
	_, port := q.port()
	header.id = -1
	return probe{q: q, port: port, header: header}
}

// holds says whether all conditions do.
func (p *probe) holds(all []condition) bool {
	for i := range all {
		if !p.ask(&all[i]) {
			return false
		}
	}
	return true
}

func (p *probe) ask(c *condition) bool {
	q := p.q
	switch c.of {
	case ofGRPC:
		return q.GRPC
	case ofScheme:
		return !q.GRPC && q.Scheme != "" && c.text.holds(q.Scheme)
	case ofPort:
		return p.port == c.port
	case ofAuthority:
		return c.text.holds(q.Authority)
	case ofPath:
		return c.text.holds(q.Path)
	case ofMethod:
		return c.text.holds(q.Method)
	case ofService:
		service, _ := splitMethod(q.Path)
		return c.text.holds(service)
	case ofGRPCMethod:
		_, method := splitMethod(q.Path)
		return c.text.holds(method)
	case ofHeader:
		return p.askHeader(c)
	case ofQuery:
		value, ok := parameter(q.RawQuery, c.name)
		return c.text.of(value, ok) != c.not
	}
	return false
}

func (p *probe) askHeader(c *condition) bool {
	if p.header.id != c.id {
		p.header.id = c.id
		p.header.value, p.header.ok = p.q.lookup(c.name, c.canonical)
	}
	return c.text.of(p.header.value, p.header.ok) != c.not
}

// of says whether the condition holds for a text that may be missing.
func (t *text) of(s string, ok bool) bool {
	if t.op == isAbsent {
		return !ok
	}
	return t.op == isAny || ok && t.holds(s)
}

// splitMethod takes "/package.Service/Method" apart. What does not begin so has neither.
func splitMethod(path string) (service, method string) {
	if path == "" || path[0] != '/' {
		return "", ""
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' {
			return path[1:i], path[i+1:]
		}
	}
	return "", path[1:]
}
